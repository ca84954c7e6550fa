"""Writes docs/api.md, the list of all methods and models, from the generated client.

`make generate` runs it after the client is generated, and `make check` runs it with `--check`. The
site also needs the names of the resource classes for its reference, so it writes
docs/reference/resources.rst too. A new operation appears in both without a hand-written line.
"""
