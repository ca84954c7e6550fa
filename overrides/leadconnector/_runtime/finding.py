"""Describes a deviation of a response from the spec without the data of the response.

The checks in `schema` and `contract` create findings. The client logs them and passes them to the
`on_drift` callback of the application. The tool `specdrift` reads them as changes of the spec.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple, Optional

from .secrets import Secret, redact

MAXIMUM_NAME_LENGTH = 64
"""Characters of one property name in a path: the server chooses the names and their length."""


@dataclass(frozen=True)
class Finding:
    """One deviation of a response from the spec.

    It contains no data of the response. A status code and a media type are no personal data.
    """

    kind: str
    """The kind of deviation, such as `unknown-enum-value`."""
    rule: str
    """The id of the change to the spec that would allow the data.

    An example is `response-property-type-changed`. oasdiff, a tool that compares OpenAPI documents,
    defines the ids.
    """
    operation: str
    """Method and path as in the spec, such as `PUT /conversations/{conversationId}`."""
    pointer: str
    """The place in the spec, as a JSON pointer."""
    path: str
    """The place in the response, as a JSON path; `$` is the whole body."""
    expected: str
    """What the spec documents at that place. It completes the sentence "it must be …"."""
    value: str = ""
    """The status code or the media type that is not documented; empty for any other kind."""

    @property
    def subject(self) -> str:
        """The status code, the media type, or the place in the response that deviates."""
        return self.value or self.path


class JsonPath(NamedTuple):
    """A place in JSON data, linked to the place that contains it.

    Validation creates a path for every object it enters, but renders one only for a finding.
    """

    parent: Optional["JsonPath"]
    """The place that contains this one; `None` for the root."""
    step: str | int
    """A property name or an array index; for the root, the name of the data."""
    secrets: tuple[Secret[str], ...] = ()
    """Only of the root: redacted in the names of properties, which the server chooses."""

    def __str__(self) -> str:
        """The JSON path, such as `$.people[0].name`."""
        steps: list[str | int] = []
        path = self
        while path.parent is not None:
            steps.append(path.step)
            path = path.parent
        text = str(path.step)
        for step in reversed(steps):
            text += _render_step(step, path.secrets)
        return text


ROOT = JsonPath(None, "$")
"""The whole body of a response."""


def _render_step(step: str | int, secrets: tuple[Secret[str], ...]) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    # Before the name is cut: a part of a credential would not be recognised.
    name = redact(step, *secrets)
    if len(name) <= MAXIMUM_NAME_LENGTH and name.isascii() and name.isidentifier():
        return f".{name}"
    # The name comes from the server: JSON escapes its control characters and quotes.
    return f"[{json.dumps(name[:MAXIMUM_NAME_LENGTH])}]"
