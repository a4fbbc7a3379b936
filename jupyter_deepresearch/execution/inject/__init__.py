"""What a run's own processes import: copied, each file by itself, onto their path. Never imported by us.

``sitecustomize.py`` runs at the start of every Python of a run, the notebook's kernel as well as its child processes.
The files import the standard library only and must at least parse on Python 3.6.
"""
