"""Describes where in the documents the comparison is, and creates the changes for that place.

A context starts at an operation (`operations.py`) and is extended on the way down, with
`dataclasses.replace` and `below`. `Context.change` creates every change. It replaces the `*` of a
rule id by the place: `*-became-required` gives `request-property-became-required`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..model.document import Node
from ..rules import INFO, RULES, Change, Direction, Level, Rule, rule_for


class Part(StrEnum):
    """The part of an operation that is compared. Its value appears in check ids."""

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
    container: str = ""
    """On the side without the element: the place that would contain it, which may not exist."""

    @staticmethod
    def to_both(base: Node, revised: Node) -> Pointers:
        """Point to a node of each document."""
        return Pointers(base.location, revised.location)

    @staticmethod
    def of_added(revised: Node, container: Node) -> Pointers:
        """Point to a node of the revision, and to the place in the base that lacks it."""
        return Pointers(revised=revised.location, container=container.location)

    @staticmethod
    def of_removed(base: Node, container: Node) -> Pointers:
        """Point to a node of the base, and to the place in the revision that lacks it."""
        return Pointers(base=base.location, container=container.location)


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
    """The keywords and names from the schema of the part down to the compared subschema.

    For example `("address", "street")`, or `("items", "anyOf", "Pet")`. Empty for the schema of the
    part itself.
    """

    is_draft: bool = False
    """Whether the operation is a draft, so that no change of it breaks a client."""

    is_never_sent: bool = False
    """Whether the schema is a property that is read-only in a request or write-only in a response.

    Or whether it is inside such a property. Its changes break nobody.
    """

    is_direction_unknown: bool = False
    """Whether the schema is inside `if`, where allowing more can mean allowing less.

    Then a change counts with the worse severity of both directions.
    """

    is_inverted: bool = False
    """Whether the schema is inside `not`, where allowing more means allowing less.

    A `not` inside another one restores the meaning.
    """

    is_null_allowed_around: bool = False
    """Whether the schema is a branch of a union that allows `null` in both documents.

    Then it does not matter which of its branches allow it.
    """

    is_written_as_text: bool = False
    """Whether values of every type are written as text, as everywhere outside JSON.

    For example in a query, a header or a form, where the number 5 and the string "5" look the same.
    """

    is_header_parameter: bool = False
    """Whether the part is a parameter that is sent as a header."""

    is_exploded: bool = False
    """Whether the part is a parameter that the revision repeats for each element of a list.

    That is `style: form` with `explode: true`: `?tag=a&tag=b` (OpenAPI 3.1, "Parameter Object").
    """

    callback: str = ""
    """The callback of the operation that is compared; empty outside callbacks."""

    @property
    def is_condition(self) -> bool:
        """Whether the schema is inside `not` or `if`: it tests values, and describes none."""
        return self.is_inverted or self.is_direction_unknown

    @property
    def is_nested(self) -> bool:
        """Whether the schema is below the schema of the part, so that ids call it a `property`.

        In a body, everything below the top is. The elements of a list are the values of a parameter
        or header, so `items` does not count there.
        """
        if self.part == Part.BODY:
            return bool(self.path)
        return any(element != "items" for element in self.path)

    @property
    def place_in_id(self) -> str:
        """The place in an id, such as `request-body`, or `response-property` below the body."""
        if not self.is_nested:
            return f"{self.direction}-{self.part}"
        if self.part == Part.BODY:
            return f"{self.direction}-property"
        return f"{self.direction}-{self.part}-property"

    @property
    def place_in_text(self) -> str:
        """The place in a sentence."""
        return _place_in_text(self.name, self.path)

    def below(self, *path: str) -> Context:
        """Return the context of a subschema, at the end of a path of keywords and names."""
        return replace(self, path=(*self.path, *path), is_null_allowed_around=False)

    def kind_of_place(self) -> Context:
        """Return what this place has in common with others, in which schemas compare alike.

        Everything remains that can decide whether two schemas differ. The operation, the name of
        the part and the exact path do not.
        """
        return replace(self, operation="", name="", is_draft=False, path=self._kind_of_path)

    @property
    def _kind_of_path(self) -> tuple[str, ...]:
        """The shortest path with the same `is_nested`; empty only if the path is."""
        if self.is_nested:
            return ("",)
        return ("items",) if self.path else ()

    def change_at(self, place: Context, change: Change) -> Change:
        """Return a change that was found in this kind of place for one of its places.

        Args:
            place: A context with this `kind_of_place`.
            change: What `change` returned for this context or for one below it.
        """
        path = place.path + change.path[len(self.path) :]
        # The sentence of every rule about schemas begins with the place.
        kind_of_place_in_text = _place_in_text(self.name, change.path)
        sentence = _place_in_text(place.name, path) + change.text[len(kind_of_place_in_text) :]
        return replace(
            change,
            level=INFO if place.is_draft else change.level,
            operation=place.operation,
            text=_capitalized(sentence),
            path=path,
        )

    def for_equality(self) -> Context:
        """Return the context without everything that does not affect whether schemas are equal.

        The remaining fields decide, for example, whether a string accepts a number. The path
        `("",)` stands for any nested place.
        """
        return replace(
            self,
            operation="",
            callback="",
            name="",
            path=("",),
            is_never_sent=False,
            is_direction_unknown=False,
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
            rule_id: The id of a rule, or a longer id that `rule_for` finds a rule for. A `*` is
                replaced by this place, which gives the check id of the change.
            pointers: The location in each document.
            old: The value in the base.
            new: The value in the revision.
            name: The element that was added or removed.

        Raises:
            LookupError: No rule has the id.
        """
        check_id = self._check_id(rule_id)
        rule = rule_for(rule_id)
        if rule is None:
            raise LookupError(f"no rule has the id {rule_id!r}")
        text = rule.text.format(
            what=self.place_in_text, old=old or "none", new=new or "none", name=name
        )
        if self.callback:
            text = f"{text[:-1]} (in the callback {self.callback})."
        return Change(
            id=check_id,
            # A rule for exactly this place comes before the general rule.
            level=self._level(RULES.get(check_id, rule)),
            operation=self.operation,
            direction=self.direction,
            base_pointer=pointers.base,
            revision_pointer=pointers.revised,
            text=_capitalized(text),
            name=str(name),
            path=self.path,
            container_pointer=pointers.container,
        )

    def _check_id(self, rule_id: str) -> str:
        action = rule_id.removeprefix("*-")
        return rule_id.replace("*", self._special_place_in_id(action) or self.place_in_id)

    def _special_place_in_id(self, action: str) -> str:
        """The place in an id that oasdiff names differently for some actions; empty for others."""
        place = self.place_in_id
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
        if self.is_direction_unknown:
            return rule.severity.worst
        if self.is_inverted:
            return rule.severity.inverted_level(self.direction)
        return rule.severity.level(self.direction)


def _place_in_text(name: str, path: tuple[str, ...]) -> str:
    if not path:
        return name
    return f"{name}, at `{'/'.join(path)}`,"


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
