"""Checks generated clients against their OpenAPI document, through public methods and the wire.

The check reads the document itself. It shares no code with `tools/generate`, so that both cannot
have the same misunderstanding.

- `documents`, `schemas`: the operations and schemas of a document.
- `samples`: JSON data of a schema.
- `names`, `hints`, `arguments`: Python names, types and values for JSON data.
- `calling`: the clients, and the transport that records requests.
- `wire`, `requests`: what a request has, and what it must have.
- `results`: what a result must be.
- `checking`, `reports`: all operations of a document, and the faults.
- `packages`: a client that is generated from a document.
"""
