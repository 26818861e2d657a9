"""Runs the command line with ``python -m prompt_manager``, for when the script is not on the path."""

import sys

from prompt_manager.cli import main

if __name__ == "__main__":
    sys.exit(main())
