"""Shows what another version of the generator would change, without changing the checkout.

`make preview` runs it as `python -m project.preview`. The steps, a module each:

- `candidate`: install the other version into a temporary environment.
- `generation`: generate the client with it, in a process of its own (`in_candidate`).
- `comparison`: compare the two generated clients, the upstream templates and the requirements.
- `report`: say it in text.
"""
