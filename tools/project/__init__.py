"""The programs behind the targets of the Makefile.

`vendor.py`, `changes.py` and `install.py` run before the virtual environment exists. They use the
standard library only and import nothing from this package.
"""
