"""Random calls of the client, and checks of their outcomes.

- `failures`, `bodies`, `replies`: the responses and exceptions of a transport.
- `arguments`: the arguments of a caller.
- `cases`: one call with its outcome.
- `promises`, `sent_requests`: the checks.

All choices come from a `random.Random`. hypothesis provides one that it can shrink; a seeded one
is faster.
"""
