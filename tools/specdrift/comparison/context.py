"""Describes where in the documents the comparison is, and creates the changes for that place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..model.document import Node
from ..rules import INFO, RULES, Change, Direction, Level, Rule, rule_for


class Part(StrEnum):
    """The part of an operation that is compared. Its value appears in the ids of rules."""

    OPERATION = ""
    PARAMETER = "parameter"
    BODY = "body"
    HEADER = "header"


# oasdiff has ids of their own for these actions: of a read-only property in a request, of a
# write-only property in a response, and of a property inside an object that is sent as a header.
_IDS_OF_READ_ONLY_PROPERTIES = frozenset(
    {
        "enum-value-removed",
        "max-decreased",
        "exclusive-max-decreased",
        "max-length-decreased",
        "min-increased",
        "exclusive-min-increased",
    }
)

_IDS_OF_WRITE_ONLY_PROPERTIES = frozenset(
    {"enum-value-added", "became-optional", "became-required"}
)

_IDS_OF_HEADER_PROPERTIES = frozenset({"became-enum", "became-required", "new-required-*"})


@dataclass(frozen=True)
class Pointers:
    """The JSON pointers of a change; a side without the element has an empty one."""

    base: str = ""
    revised: str = ""

    @staticmethod
    def to_both(base: Node, revised: Node) -> Pointers:
        """Point to a node of each document."""
        return Pointers(base.location, revised.location)


@dataclass(frozen=True)
class Context:
    """The place in the documents that is compared, as far as rules and sentences depend on it."""

    operation: str = ""
    """Method and path, such as `PUT /pets/{id}`."""

    direction: Direction = Direction.NONE

    part: Part = Part.OPERATION

    name: str = ""
    """The name of the part in a sentence, such as `the query parameter limit`."""

    path: tuple[str, ...] = ()
    """The steps from the schema of the part to the subschema that is compared."""

    is_draft: bool = False
    """Whether the operation is a draft, so that no change of it breaks a client."""

    is_never_sent: bool = False
    """Whether the property is read-only in a request, or write-only in a response."""

    is_inverted: bool = False
    """Whether the schema is inside `not` or `if`, where allowing more can mean allowing less."""

    is_text: bool = False
    """Whether values of every type are written as text, as everywhere outside JSON."""

    is_header_parameter: bool = False
    """Whether the part is a parameter that is sent as a header."""

    is_exploded: bool = False
    """Whether the part is a query parameter that is repeated for each element of a list."""

    @property
    def is_nested(self) -> bool:
        """Whether the schema is a part of what is sent.

        The elements of a list are the values of a parameter or header, so `items` does not count
        there.
        """
        if self.part == Part.BODY:
            return bool(self.path)
        return any(step != "items" for step in self.path)

    @property
    def place(self) -> str:
        """The place in an id, such as `request-body`, or `response-property` below the body."""
        if not self.is_nested:
            return f"{self.direction}-{self.part}"
        if self.part == Part.BODY:
            return f"{self.direction}-property"
        return f"{self.direction}-{self.part}-property"

    @property
    def place_in_text(self) -> str:
        """The place in a sentence."""
        if not self.path:
            return self.name
        return f"{self.name}, at `{'/'.join(self.path)}`,"

    def below(self, *steps: str) -> Context:
        """Return the context of a subschema."""
        return replace(self, path=(*self.path, *steps))

    def without_steps(self) -> Context:
        """Return the context without its position, so that a repeated schema is reported once."""
        return replace(self, path=("",) if self.is_nested else ())

    def for_equality(self) -> Context:
        """Return the context without everything that does not affect whether schemas are equal."""
        return replace(
            self,
            operation="",
            name="",
            path=("",),
            is_never_sent=False,
            is_inverted=False,
            is_header_parameter=False,
        )

    def change(
        self,
        rule_id: str,
        pointers: Pointers,
        *,
        old: object = "",
        new: object = "",
        name: object = "",
    ) -> Change:
        """Create the change that a rule describes, at this place.

        Args:
            rule_id: The id of a rule or a more specific id. `*` stands for this place.
            pointers: The location in each document.
            old: The value in the base.
            new: The value in the revision.
            name: The element that was added or removed.
        """
        identifier = self._identifier(rule_id)
        rule = rule_for(rule_id)
        if rule is None:
            raise LookupError(f"no rule has the id {rule_id!r}")
        text = rule.text.format(
            what=self.place_in_text, old=old or "none", new=new or "none", name=name
        )
        return Change(
            id=identifier,
            # A rule for exactly this place comes before the general rule.
            level=self._level(RULES.get(identifier, rule)),
            operation=self.operation,
            direction=self.direction,
            base_pointer=pointers.base,
            revision_pointer=pointers.revised,
            text=text[:1].upper() + text[1:],
            name=str(name),
        )

    def _identifier(self, rule_id: str) -> str:
        action = rule_id.removeprefix("*-")
        return rule_id.replace("*", self._special_place(action) or self.place)

    def _special_place(self, action: str) -> str:
        """The place in an id that oasdiff names differently for some actions; empty for others."""
        place = self.place
        if place == "response-body" and action.startswith("enum-value-"):
            return "response-mediatype"
        is_read_only = self.is_never_sent and place == "request-property"
        if is_read_only and action in _IDS_OF_READ_ONLY_PROPERTIES:
            return "request-read-only-property"
        is_write_only = self.is_never_sent and place == "response-property"
        if is_write_only and action in _IDS_OF_WRITE_ONLY_PROPERTIES:
            return "response-write-only-property"
        is_header_property = self.is_header_parameter and self.is_nested
        if is_header_property and action in _IDS_OF_HEADER_PROPERTIES:
            return "request-header-property"
        return ""

    def _level(self, rule: Rule) -> Level:
        # What is never sent breaks no client, and a draft makes no promise.
        if self.is_never_sent or self.is_draft:
            return INFO
        # Inside `not`, a looser schema makes the value stricter; inside `if`, both are possible.
        if self.is_inverted:
            return rule.severity.worst
        return rule.severity.level(self.direction)
