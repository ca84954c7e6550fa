"""Changes of the public Python names between a git revision and the working tree.

`make diff` runs it as `python -m project.surface REVISION`. The steps, a module each:

- `checkout`: write the files of the revision into a temporary folder.
- `loading`: collect the public names of each side, with griffe, which does not import the code.
- `comparison`: compare the two sides, path by path. `annotations` compares types.

griffe has a comparison of its own, `find_breaking_changes`. It does not know types, changed base
classes, values of enums, constructors that attrs generates, or the methods of a private class that
a client has as an attribute (`client.conversations`). It also reports private paths.
"""

from __future__ import annotations

from .checkout import check_out
from .comparison import surface_changes
from .model import COPY, SEVERITIES, Severity, SurfaceChange, SurfaceError

__all__ = [
    "COPY",
    "SEVERITIES",
    "Severity",
    "SurfaceChange",
    "SurfaceError",
    "check_out",
    "surface_changes",
]
