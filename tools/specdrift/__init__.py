"""Says what changed between two OpenAPI documents, and what that means for those who call the API.

    from specdrift import compare

    for change in compare(base, revision):
        print(change.level, change.id, change.operation, change.text)

It compares what documents mean, not how they are written, and knows which way data goes: to ask for more in a request
breaks, and so does to promise less in an answer.
"""

from .comparison.documents import compare
from .model.document import TooComplexError
from .rules import Change, Direction, Level

__all__ = ["Change", "Direction", "Level", "TooComplexError", "compare"]
