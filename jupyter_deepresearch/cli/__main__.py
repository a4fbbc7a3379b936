"""`python -m jupyter_deepresearch.cli`: the same where the script is not on the path."""

import sys

from .main import main

sys.exit(main())
