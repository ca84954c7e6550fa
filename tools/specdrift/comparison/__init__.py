"""Compares two OpenAPI documents; one module for each subject.

Reading order:

1. `documents.py` is the entry (`compare`). It pairs the paths and operations of both documents.
2. `operations.py` compares one operation, which `operation.py` reads. It calls `parameters.py`,
   `bodies.py`, `responses.py` (with `links.py`), `security.py`, `servers.py` and `callbacks.py`.
3. `schemas/` compares every schema that those modules find. Its `__init__.py` explains how.
4. `context.py` knows where the comparison is, and creates the changes with their check ids.

`elements.py`, `media_types.py` and `differences.py` contain helpers that several modules share.

Words that the whole package uses:

- oasdiff: the open-source OpenAPI differ whose check ids and severities this package follows
  (https://github.com/oasdiff/oasdiff).
- base and revised: the older and the newer document, and everything that was read from them.
- rule id: the id of a rule in `rules.py`. A `*` in it stands for the place, so that one rule covers
  request bodies, response properties, headers and so on: `*-became-required`.
- check id: the id of one change, always without `*`: `request-property-became-required`.
  `Context.change` replaces the `*`. A few modules replace the check id afterwards, with
  `replace(change, id=…)`. The change then keeps the severity and the sentence of its rule.
- place: where in the documents the comparison is, as check ids and sentences name it.
- part: the parameter, body or header that is compared (`context.Part`).
- step: one unit of work, which the step budget limits (`schemas/pairs.py`).
"""
