"""Fails if a change breaks code that uses the previous release, and the changelog does not say so.

`make gate BASE=main` runs it, and CI does for every pull request. The steps, a module each:

- `base`: choose the revision to compare with, the latest release if there is one.
- `changelog`: read the names that new entries under `Removed` or `Changed` mention.
- `code`: collect the code of that revision that uses the client: examples, type-level tests and the
  blocks of the documentation.
- `type_checks`: check that code against the client in the working tree, with mypy and pyright.
- `runs`: run the examples and the blocks against that client.
- `gate`: decide. A break is accepted if the changelog names it.
"""
