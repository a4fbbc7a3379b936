"""The Jupyter side: the server extension with its REST routes, the magic and the panel."""
