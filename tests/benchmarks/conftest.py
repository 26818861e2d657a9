"""Keeps pytest from importing the benchmarks, which are scripts, in search of doctests."""

collect_ignore_glob = ["[!t]*.py", "templates.py"]
