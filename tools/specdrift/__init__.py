"""Reports the differences of two OpenAPI documents, and whether they break clients of the API.

    from specdrift import compare

    for change in compare(base, revision):
        print(change.level, change.id, change.operation, change.text)

The comparison is about the meaning of the documents, not the way they are written. It depends on
the direction of the data: a stricter request breaks clients, and so does a looser response.
"""

from .comparison.documents import compare
from .model.document import TooComplexError
from .rules import Change, Direction, Level

__all__ = ["Change", "Direction", "Level", "TooComplexError", "compare"]
