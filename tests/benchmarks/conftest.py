"""Prevents pytest from importing the benchmarks, which are scripts, to look for doctests."""

collect_ignore_glob = ["[!t]*.py", "templates.py"]
