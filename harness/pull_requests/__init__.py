"""Pull requests: what one change would add to the submissions, checked without running any of it.

A change is two trees, each a folder or a tree of a Git repository. Labels are never read, nothing
of the change is run or checked out, and size, number of files and time are bounded.
"""
