"""Random calls of the client: what can happen to a call, and what must not come of it.

- `failures`, `bodies`, `replies`: what a transport returns or raises.
- `arguments`: what a caller passes.
- `cases`: one call with its outcome.
- `promises`, `sent_requests`: the checks.

All choices come from a `random.Random`. hypothesis provides one that it can shrink; a seeded one
is faster.
"""
