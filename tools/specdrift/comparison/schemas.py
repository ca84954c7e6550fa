"""Compares two schemas in normal form, and what is within them, however they refer to each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from ..model.document import Node, TooComplexError, is_mapping
from ..model.schema import (
    EXCLUSIVE,
    LOWER_LIMITS,
    NEVER,
    UPPER_LIMITS,
    Nodes,
    Schema,
    canonical,
    read,
)
from ..rules import INFO, Change, Place, event, moved, worst

Pair: TypeAlias = tuple[Nodes, Nodes, Place]
"""A schema of the base and its counterpart, and where they are."""

MAXIMUM_STEPS = 500_000
"""How often two schemas may be held against each other in a comparison, and how many parts of an `allOf` be read: about
ten seconds. The vendor's largest document takes some hundreds."""

_WIDER_FORMATS = {"double": {"float"}, "int64": {"int32"}, "bigint": {"int32", "int64"}}
"""Formats that have all values of others."""

_ANYTHING = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)", "[\\s\\S]*"})
"""Patterns that any text matches."""

_UNCERTAIN = frozenset({"not", "if"})
"""Keywords of schemas that are not what a value has to be."""

_TEXT, _LIST, _NONE = frozenset({"string"}), frozenset({"array"}), frozenset({NEVER})

_OTHERS = frozenset({"additionalProperties", "unevaluatedProperties"})
"""What says of an object which properties it may have that are not described."""

_TWINS = EXCLUSIVE | {exclusive: inclusive for inclusive, exclusive in EXCLUSIVE.items()}


class SchemaComparison:
    """Compares schemas of two documents; each pair is looked at once for each place where it is told."""

    def __init__(self) -> None:
        self._read: tuple[dict[Nodes, Schema], dict[Nodes, Schema]] = ({}, {})
        self._seen = set[Pair]()
        self._same: dict[Pair, bool] = {}
        self._asked: dict[Pair, None] | None = None
        """While a pair is being decided, those that it was asked of."""
        self._hoped = set[Pair]()
        """Those that were looked at ahead of that, and showed no difference at once."""
        self._ahead = 3
        """How many schemas further in one looks ahead."""
        self._steps = 0

    def changes(self, base: Node, revision: Node, place: Place) -> Iterator[Change]:
        """What differs between two schemas, as far as it was not told of the same place before.

        Raises:
            TooComplexError: there is too much in them to be compared, or a value is nested too deeply.
        """
        # A list of what is still to do instead of recursion: neither a cycle nor a deep document ends it early.
        todo: list[Pair] = [((base,), (revision,), place)]
        for written_base, written_revision, at in todo:
            pair = _meant(written_base), _meant(written_revision), at
            key = (*pair[:2], replace(at, path=("",) if at.nested else ()))
            if key not in self._seen:
                self._seen.add(key)
                own, below = self._look(*pair)
                yield from own
                todo += below

    def schema(self, nodes: Nodes, side: int) -> Schema:
        """The normal form, of the base (0) or the revision (1)."""
        cache = self._read[side]
        if nodes not in cache:
            cache[nodes] = read(nodes)
            self._count(nodes, len(cache[nodes].branches))
        return cache[nodes]

    def same(self, base: Nodes, revision: Nodes, place: Place) -> bool:
        """Whether two schemas, in the same kind of place, have no difference at all."""
        kind = replace(place, operation="", name="", path=("",), unused=False, inverted=False)
        pair = (_meant(base), _meant(revision), kind)
        if self._asked is not None:
            self._count(base)
            self._asked[pair] = None
            if pair not in self._same and pair not in self._hoped and self._ahead:
                self._look_ahead(pair)
            return self._same.get(pair, True)
        if pair not in self._same:
            self._decide(pair)
        return self._same[pair]

    def _decide(self, start: Pair) -> None:
        """Find out whether a pair is the same, and all that this depends on.

        Schemas contain each other, so each pair is taken to be the same until a difference shows. Then those that
        relied on it are looked at again.
        """
        waiting, relying = {start: None}, dict[Pair, dict[Pair, None]]()
        while waiting:
            pair = next(iter(waiting))
            del waiting[pair]
            asked = self._asked = {}
            own, below = self._look(*pair)
            self._same[pair] = not own and all(self.same(*each) for each in below)
            self._asked = None
            if not self._same[pair]:
                waiting |= {other: None for other in relying.pop(pair, ()) if self._same[other]}
                continue
            for other in asked:
                relying.setdefault(other, {})[pair] = None
                if other not in self._same:
                    waiting[other] = None

    def _look_ahead(self, pair: Pair) -> None:
        """Find a difference that shows whatever else may come out: most do, and then nobody relies on the pair."""
        self._hoped.add(pair)
        asked, self._asked, self._ahead = self._asked, {}, self._ahead - 1
        own, below = self._look(*pair)
        if own or not all(self.same(*each) for each in below):
            self._same[pair] = False
        self._asked, self._ahead = asked, self._ahead + 1

    def _count(self, here: Nodes, steps: int = 1) -> None:
        self._steps += steps
        if self._steps > MAXIMUM_STEPS:
            problem = f"there is too much in it to be compared (more than {MAXIMUM_STEPS:,} steps)"
            raise TooComplexError(
                f"{here[0].location}: {problem}: give the branches of its unions names, or fewer"
            )

    def _look(self, base: Nodes, revision: Nodes, place: Place) -> tuple[list[Change], list[Pair]]:
        """What differs between two schemas themselves, and the pairs of schemas within them."""
        self._count(base)
        old, new = self.schema(base, 0), self.schema(revision, 1)
        if old.opaque != new.opaque:
            return [place.change("*-type-changed", *_both(old, new), _kind(old), _kind(new))], []
        wrapped = self._of_wrapping(old, new, place, base, revision)
        if wrapped is not None:
            return wrapped, []
        below = list[Pair]()
        own = [*_of_values(old, new, place), *_of_restrictions(old, new, place)]
        own += [*self._of_parts(old, new, place), *self._of_properties(old, new, place)]
        own += [*self._of_unions(old, new, place, below), *self._of_discriminator(old, new, place)]
        if own and self._asked is None:
            level = worst(change.level for change in own)
            own += [replace(change, level=level) for change in self._of_all_of(old, new, place)]
        return own, [*below, *self._below(old, new, place)]

    def _below(self, old: Schema, new: Schema, place: Place) -> Iterator[Pair]:
        """The pairs of schemas within two schemas."""
        for name in _in_both(old.properties, new.properties):
            base, revision = old.properties[name], new.properties[name]
            yield base, revision, _within(place, self.schema(revision, 1), name)
        for key in _in_both(old.parts, new.parts):
            if self._opens(old, new, key, place):
                continue
            below = place.below(key)
            yield (
                old.parts[key],
                new.parts[key],
                replace(below, inverted=place.inverted or key in _UNCERTAIN),
            )
        for key in _in_both(old.groups, new.groups):
            for name in _in_both(old.groups[key], new.groups[key]):
                yield old.groups[key][name], new.groups[key][name], place.below(key, name)

    def _opens(self, old: Schema, new: Schema, key: str, place: Place) -> bool:
        """Whether other properties may be in an answer now: that breaks nobody, however little is said of them."""
        if key not in _OTHERS or place.direction != "response":
            return False
        return self.schema(old.parts[key], 0).types == _NONE != self.schema(new.parts[key], 1).types

    def _of_properties(self, old: Schema, new: Schema, place: Place) -> Iterator[Change]:
        for name in old.properties | new.properties:
            if name not in new.properties:
                schema = self.schema(old.properties[name], 0)
                yield _property(
                    schema, name in old.required, _within(place, schema, name), "removed"
                )
            elif name not in old.properties:
                schema = self.schema(new.properties[name], 1)
                yield _property(schema, name in new.required, _within(place, schema, name), "added")
            else:
                schemas = self.schema(old.properties[name], 0), self.schema(new.properties[name], 1)
                needs = name in old.required, name in new.required
                yield from _of_role(*schemas, *needs, _within(place, schemas[1], name))

    def _of_parts(self, old: Schema, new: Schema, place: Place) -> Iterator[Change]:
        """Schemas of keywords that came or went: each restricts, but that what is left open restricts a response."""
        opened = {
            key for key in old.parts.keys() & new.parts.keys() if self._opens(old, new, key, place)
        }
        repeated = (
            {"items"} if place.exploded and not place.path and _takes_one(new, old) else set[str]()
        )
        for key in sorted(opened | (old.parts.keys() ^ new.parts.keys()) - repeated):
            change = _part(
                key, key, "removed" if key in old.parts else "added", place, _both(old, new)
            )
            # What else an object may have is no promise: a response that opens breaks nobody who reads by name.
            yield (
                replace(change, level=INFO)
                if key in _OTHERS and place.direction == "response"
                else change
            )
        for key, singular in (
            ("patternProperties", "patternProperty"),
            ("dependentSchemas", "dependentSchema"),
        ):
            for name, action in moved(old.groups.get(key, {}), new.groups.get(key, {})):
                yield _part(singular, f"{key}: {name}", action, place, _both(old, new))
        for name, action in moved(
            old.groups.get("prefixItems", {}), new.groups.get("prefixItems", {})
        ):
            yield place.change(f"*-prefix-items-{action}", *_both(old, new), name=name)

    def _of_wrapping(
        self, old: Schema, new: Schema, place: Place, base: Nodes, revision: Nodes
    ) -> list[Change] | None:
        """What to tell where a schema became one of several, or one of several the only one; else None.

        Where it is none of the several, that is the one thing to tell: to compare it with each would only confuse.
        """
        wraps = new.is_only_union and not old.unions and old.says_something
        if not wraps and not (old.is_only_union and not new.unions and new.says_something):
            return None
        branches = [
            (key, branch)
            for key, found in (new if wraps else old).unions.items()
            for branch in found
        ]
        pairs = [(base, branch) if wraps else (branch, revision) for _, branch in branches]
        others = [
            told for told, pair in zip(branches, pairs, strict=True) if not self.same(*pair, place)
        ]
        where = _both(old, new)
        if len(others) == len(branches):
            rule = "*-wrapped-in-one-of" if wraps else "*-type-changed"
            return [place.change(rule, *where, "one of several schemas", _kind(new))]
        action = "added" if wraps else "removed"
        told = [
            place.change(f"*-{_dashed(key)}-{action}", *where, name=_name(branch))
            for key, (branch,) in others
        ]
        return [*told, *_of_null(old, new, place)]

    def _of_unions(
        self, old: Schema, new: Schema, place: Place, todo: list[Pair]
    ) -> Iterator[Change]:
        """Branches that came or went; those that stayed under their name, and changed, are put on the list."""
        before, after = dict(old.unions), dict(new.unions)
        if len(before) == len(after) == 1 and before.keys() != after.keys():
            if not (
                old.discriminator and new.discriminator
            ):  # which tells one of them, whatever else would fit
                rule = "*-one-of-generalized" if "oneOf" in before else "*-any-of-specialized"
                yield place.change(rule, *_both(old, new))
            before = {next(iter(after)): next(iter(before.values()))}
        for keyword in sorted(before.keys() | after.keys()):
            name = _dashed(keyword)
            if (
                keyword not in before or keyword not in after
            ):  # where there was no union, one restricts
                yield _part(
                    keyword,
                    keyword,
                    event(keyword in before, keyword in after),
                    place,
                    _both(old, new),
                )
                continue
            gone, come, pairs = self._matched(before[keyword], after[keyword], place)
            for (node,) in gone:
                yield place.change(
                    f"*-{name}-removed", node.location, new.node.location, name=_name(node)
                )
            for (node,) in come:
                yield place.change(
                    f"*-{name}-added", old.node.location, node.location, name=_name(node)
                )
            todo += ((left, right, place.below(keyword, _name(right[0]))) for left, right in pairs)

    def _matched(
        self, before: list[Nodes], after: list[Nodes], place: Place
    ) -> tuple[list[Nodes], list[Nodes], list[tuple[Nodes, Nodes]]]:
        """The branches that went, those that came, and those that changed: by their name, or as the only ones left."""
        gone, come = list[Nodes](), list(after)
        for branch in before:
            found = next((other for other in come if self.same(branch, other, place)), None)
            if found is None:
                gone.append(branch)
            else:
                come.remove(found)
        if gone and self._asked is not None and len(before) == len(after):
            # What is taken to be the same may take the place of what is: only what is like none has no counterpart.
            gone = [
                branch
                for branch in before
                if not any(self.same(branch, other, place) for other in after)
            ]
            come = [
                other
                for other in after
                if not any(self.same(branch, other, place) for branch in before)
            ]
        pairs = list[tuple[Nodes, Nodes]]()
        for branch in list(gone):
            found = next((other for other in come if _name(branch[0]) == _name(other[0])), None)
            if found is not None and (branch[0].reference or branch[0].get("title")):
                pairs.append((branch, found))
                gone.remove(branch)
                come.remove(found)
        if len(gone) == len(come) == 1 and not (gone[0][0].reference or come[0][0].reference):
            return [], [], [*pairs, (gone[0], come[0])]
        return gone, come, pairs

    def _of_discriminator(self, old: Schema, new: Schema, place: Place) -> Iterator[Change]:
        before, after = old.discriminator, new.discriminator
        if before is None or after is None:
            if before is not after:
                told = (before or after or old.node).get("propertyName")
                yield place.change(
                    f"*-discriminator-{event(before, after)}", *_both(old, new), told, told
                )
            return
        where = (before.location, after.location)
        names = (before.get("propertyName"), after.get("propertyName"))
        if names[0] != names[1]:
            yield place.change("*-discriminator-property-name-changed", *where, *names)
        was, now = dict(before.children("mapping")), dict(after.children("mapping"))
        for name, action in moved(was, now):
            told = "deleted" if action == "removed" else action
            yield place.change(f"*-discriminator-mapping-{told}", *where, name=name)
        for name in _in_both(was, now):
            left, right = _target(was[name]), _target(now[name])
            if was[name].value != now[name].value and not (
                left and right and self.same((left,), (right,), place)
            ):
                texts = (was[name].value, now[name].value)
                yield place.change("*-discriminator-mapping-changed", *where, *texts, name=name)

    def _of_all_of(self, old: Schema, new: Schema, place: Place) -> Iterator[Change]:
        """That parts of an `allOf` came or went, where that is more than another way to write the same."""
        if old.branches and new.branches:
            gone, come, _ = self._matched(
                [(node,) for node in old.branches], [(node,) for node in new.branches], place
            )
            for action in ["removed"] * bool(gone) + ["added"] * bool(come):
                yield place.change(f"*-all-of-{action}", *_both(old, new))


def _of_values(old: Schema, new: Schema, place: Place) -> Iterator[Change]:
    """Type, null, enum, const and default."""
    where = _both(old, new)
    if moved_to := _type_event(old, new, place):
        yield place.change(f"*-{moved_to}", *where, _kind(old), _kind(new))
    yield from _of_null(old, new, place)
    before, after = old.values, new.values
    told = (", ".join(before or ()), ", ".join(after or ()))
    if before is None and after is not None:
        yield place.change("*-const-added" if new.constant else "*-became-enum", *where, *told)
    elif before is not None and after is None:
        yield place.change(
            "*-const-removed" if old.constant else "*-became-not-enum", *where, *told
        )
    elif old.constant and new.constant and told[0] != told[1]:
        yield place.change("*-const-changed", *where, *told)
    else:
        for name, action in moved(before or (), after or ()):
            yield place.change(f"*-enum-value-{action}", *where, name=name)
    if old.default != new.default:
        yield place.change(
            f"*-default-value-{event(old.default, new.default)}", *where, old.default, new.default
        )


def _of_null(old: Schema, new: Schema, place: Place) -> Iterator[Change]:
    if None not in (old.nullable, new.nullable) and old.nullable != new.nullable:
        yield place.change(
            "*-became-nullable" if new.nullable else "*-became-not-nullable", *_both(old, new)
        )


def _type_event(old: Schema, new: Schema, place: Place) -> str | None:
    """What a change of type and format is called, if there is one."""
    before, after = old.facts.get("format", ()), new.facts.get("format", ())
    wider = _has_all(new.types, old.types) and _has_format(after, before)
    narrower = _has_all(old.types, new.types) and _has_format(before, after)
    if wider and narrower:
        return None
    listed = old.listed or new.listed
    in_property = place.kind == "parameter" and place.nested
    if place.direction == "request":
        if wider or (place.exploded and not place.path and _takes_one(new, old)):
            return "list-of-types-widened" if listed else "type-generalized"
        if (
            place.loose and new.types <= _TEXT and _has_format(after, before)
        ):  # all that is written is text
            alike = "type-generalized" if place.kind == "parameter" else "type-compatible"
            return "type-changed" if in_property else alike
        if narrower and listed:
            return "list-of-types-narrowed"
        return "type-specialized" if in_property else "type-changed"
    if narrower:
        return "list-of-types-narrowed" if listed else "type-specialized"
    if wider and old.types != new.types:
        return "list-of-types-widened" if listed else "type-generalized"
    loosely = place.loose and old.types == _TEXT and _has_format(before, after)
    return "type-compatible" if loosely else "type-changed"


def _has_all(outer: frozenset[str], inner: frozenset[str]) -> bool:
    """Whether some types have all values of others."""
    if not outer or inner == _NONE:
        return True
    return bool(inner) and all(
        kind in outer or (kind == "integer" and "number" in outer) for kind in inner
    )


def _has_format(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    """Whether a format has all values of another."""
    return (
        not outer
        or outer == inner
        or any(name in _WIDER_FORMATS.get(outer[0], ()) for name in inner)
    )


def _takes_one(new: Schema, old: Schema) -> bool:
    """Whether a list in a query, written as the parameter repeated, takes what was written as a single value."""
    if new.types != _LIST or not old.types or old.types & {"array", "object"} or new.limits:
        return False
    if "items" not in new.parts:
        return True
    item = read(new.parts["items"])
    restricted = item.limits or item.facts or item.values is not None or item.unions
    return not restricted and (_has_all(item.types, old.types) or item.types == _TEXT)


def _of_restrictions(old: Schema, new: Schema, place: Place) -> Iterator[Change]:
    """Bounds, patterns and the like."""
    where = _both(old, new)
    for key in sorted(LOWER_LIMITS | UPPER_LIMITS):
        before, after = old.limits.get(key), new.limits.get(key)
        if key in _TWINS and (
            _covers(new.limits, key, before, after) or _covers(old.limits, key, after, before)
        ):
            continue
        if (
            key == "minLength"
        ):  # a text has no length below 0: so it is called a move, not set or unset
            before, after = (None, None) if before == after else (before or 0, after or 0)
        if before == after:
            continue
        texts = tuple("" if limit is None else canonical(limit) for limit in (before, after))
        if before is None or after is None:
            action = "set" if before is None else "unset"
        else:
            action = "increased" if after > before else "decreased"
        yield place.change(f"*-{_dashed(key)}-{action}", *where, *texts, name=key)
    for key in ("pattern", "multipleOf", "uniqueItems", "contentMediaType", "contentEncoding"):
        was, now = (", ".join(schema.facts.get(key, ())) for schema in (old, new))
        if was != now:
            yield _fact_changed(key, was, now, place, where)
    for name in sorted(old.dependent.keys() | new.dependent.keys()):
        was, now = (", ".join(sorted(schema.dependent.get(name, ()))) for schema in (old, new))
        if was != now:
            yield place.change(
                f"*-dependent-required-{event(was, now)}", *where, was, now, name=name
            )


def _covers(limits: Mapping[str, float], key: str, here: float | None, there: float | None) -> bool:
    """Whether a bound that is on one side alone says nothing that its twin, exclusive or inclusive, does not there."""
    twin = limits.get(_TWINS[key])
    if here is None or there is not None or twin is None:
        return False
    tighter = twin > here if key in LOWER_LIMITS else twin < here
    return tighter or (twin == here and _TWINS[key].startswith("exclusive"))


def _fact_changed(
    key: str, before: str, after: str, place: Place, where: tuple[str, str]
) -> Change:
    action = "changed" if key.startswith("content") else event(before, after)
    if key == "pattern" and action == "changed" and after in _ANYTHING:
        action = "generalized"
    elif key != "pattern" and action != "changed":
        action = "unset" if before else "set"
    name = key if action in {"set", "unset"} else ""
    return place.change(f"*-{_dashed(key)}-{action}", *where, before, after, name=name)


def _part(keyword: str, name: str, action: str, place: Place, where: tuple[str, str]) -> Change:
    """That a schema within came or went, which is the same whatever its keyword; only the id has that."""
    change = place.change(f"*-part-{action}", *where, name=name)
    return replace(change, id=f"{place.side}-{_dashed(keyword)}-{action}")


def _property(schema: Schema, required: bool, place: Place, action: str) -> Change:
    """That a property was added or removed."""
    where = ("", schema.node.location) if action == "added" else (schema.node.location, "")
    need = "required" if required else "optional"
    if place.direction == "response":
        change = place.change(f"response-{need}-property-{action}", *where)
        return (
            replace(change, id=change.id.replace("property", "write-only-property"))
            if place.unused
            else change
        )
    if action == "removed":
        return place.change("*-removed", *where)
    return place.change(
        f"new-{need}-*{'-with-default' if required and schema.default is not None else ''}", *where
    )


def _of_role(old: Schema, new: Schema, was: bool, now: bool, place: Place) -> Iterator[Change]:
    """What a property is to the object that has it: required, read-only, write-only, deprecated."""
    where = _both(old, new)
    if was != now:
        default = (
            "-with-default"
            if now and place.direction == "request" and new.default is not None
            else ""
        )
        yield place.change(f"*-became-{'required' if now else 'optional'}{default}", *where)
    for flag, name in (("readOnly", "read-only"), ("writeOnly", "write-only")):
        if (flag in old.flags) != (flag in new.flags):
            need, negation = "required" if now else "optional", "" if flag in new.flags else "not-"
            yield place.change(f"{place.direction}-{need}-property-became-{negation}{name}", *where)
    if ("deprecated" in old.flags) != ("deprecated" in new.flags):
        yield place.change("*-deprecated" if "deprecated" in new.flags else "*-reactivated", *where)


def _within(place: Place, schema: Schema, name: str) -> Place:
    """The place of a property, which may be one that is not sent in this direction."""
    flag = "readOnly" if place.direction == "request" else "writeOnly"
    return replace(place.below(name), unused=place.unused or flag in schema.flags)


def _meant(nodes: Nodes) -> Nodes:
    """The places that some lead to, each once, in an order that does not depend on how one came there."""
    return tuple(sorted({node.target for node in nodes}, key=lambda node: node.location))


def _both(old: Schema, new: Schema) -> tuple[str, str]:
    return old.node.location, new.node.location


def _in_both(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """The names that stayed, in the order of the base, so that what is told has the same order each time."""
    return [name for name in before if name in after]


def _kind(schema: Schema) -> str:
    """The type of a schema as a person reads it."""
    if schema.opaque:
        return f"what {', '.join(sorted(schema.opaque))} would be"
    types = " or ".join(sorted(schema.types)) or (
        "one of several schemas" if schema.unions else "anything"
    )
    return types + "".join(f" ({name})" for name in schema.facts.get("format", ()))


def _name(node: Node) -> str:
    """What a branch of a union is called: by its reference, its title, or its place."""
    text = node.reference
    if text is not None:
        return text.rpartition("/")[2]
    title = node.get("title")
    return title if isinstance(title, str) else node.pointer.rpartition("/")[2]


def _target(node: Node) -> Node | None:
    """The schema that a discriminator's mapping leads to: by a reference, or by the name of a component."""
    text = node.value
    if not isinstance(text, str):
        return None
    found = node.document.find(
        text if "#" in text or "/" in text else f"#/components/schemas/{text}", node.file
    )
    return found if found is not None and is_mapping(found.value) else None


def _dashed(keyword: str) -> str:
    """A keyword as ids have it: `max-length` for `maxLength`, and `min` for `minimum`."""
    dashed = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in keyword)
    return dashed.replace("imum", "")
