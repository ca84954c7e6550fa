"""Faults: which requests the emulator misbehaves on, and how, as the real thing and what is in front of it do."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any, Literal, cast

import yaml

from .messages import Delivery, Request, Response

UNKNOWN = "TYPE_OF_TOMORROW"
"""The enum value that no spec has."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: when it applies, and what then goes wrong. Everything that is named must hold.

    A response that is *replaced* (`status`, `redirect`, `gzip_bomb`) and one that is dropped before its headers stand
    for a request that never reached the API: nothing is changed by it. All others are carried out first.
    """

    # when
    nth: int | None = None
    """Only for the n-th request (from 1) of those that the rest applies to."""
    times: int | None = None
    """For so many requests at the most."""
    probability: float = 1.0
    """For this share of the requests, drawn from the emulator's seed."""
    method: str | None = None
    path: str | None = None
    """A pattern for the raw path, such as `/conversations/*`."""
    header: Mapping[str, str] = field(default_factory=dict[str, str])
    """Patterns for headers of the request, by name."""

    # what
    latency: float = 0.0
    """Seconds before the answer."""
    drop: Literal["before", "within", "after"] | None = None
    """The connection ends before, within or after the headers of the answer."""
    truncate: int | None = None
    """The connection ends after so many bytes of the body."""
    drip: float | None = None
    """Seconds before each byte of the body."""
    status: int | None = None
    """Another status, with `body` and `headers`."""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    redirect: str | None = None
    """A redirect (307) to this place."""
    gzip_bomb: int | None = None
    """A body that is so many bytes of blanks when it is decompressed."""
    unknown_enum: str | None = None
    """The place in the answer (`conversation.lastMessageType`) that gets a value which the spec does not have."""
    undocumented: str | None = None
    """The place in the answer that gets a field which the spec does not have."""
    null: str | None = None
    """The place in the answer that becomes null."""
    wrong_type: str | None = None
    """The place in the answer that gets a value of another type."""
    missing: str | None = None
    """The place in the answer that is left out."""

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise ValueError(problem)

    @property
    def replaces(self) -> bool:
        """Whether the API never sees the request."""
        return self.drop == "before" or any(
            each is not None for each in (self.status, self.redirect, self.gzip_bomb)
        )

    def matches(self, request: Request) -> bool:
        """Whether method, path and headers are those of the rule."""
        return (
            (self.method is None or self.method.upper() == request.method)
            and (self.path is None or fnmatchcase(request.path, self.path))
            and all(
                fnmatchcase(request.headers.get(name.lower(), ""), want)
                for name, want in self.header.items()
            )
        )

    def apply(self, response: Response) -> Response:
        """The response as it goes wrong."""
        delivery = Delivery(self.latency, self.drop, self.truncate, self.drip)
        if self.status is not None:
            return Response(self.status, self.body.encode(), dict(self.headers), delivery)
        if self.redirect is not None:
            return Response(307, b"", {"Location": self.redirect}, delivery)
        if self.gzip_bomb is not None:
            bomb = gzip.compress(b" " * self.gzip_bomb, mtime=0)
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            return Response(200, bomb, headers, delivery)
        changes: list[tuple[str | None, Callable[[dict[str, Any], str], None]]] = [
            (self.unknown_enum, lambda parent, name: parent.update({name: UNKNOWN})),
            (self.undocumented, lambda parent, name: parent.update({name: {"since": "tomorrow"}})),
            (self.null, lambda parent, name: parent.update({name: None})),
            (
                self.wrong_type,
                lambda parent, name: parent.update({name: _of_another_type(parent.get(name))}),
            ),
            (self.missing, lambda parent, name: parent.pop(name, None)),
        ]
        if any(place is not None for place, _ in changes) and response.body:
            data = json.loads(response.body)
            for place, change in changes:
                if place is not None:
                    _at(data, place, change)
            response = replace(
                response,
                body=json.dumps(data, ensure_ascii=False).encode(errors="backslashreplace"),
            )
        return replace(response, delivery=delivery)


def _at(data: Any, place: str, change: Callable[[dict[str, Any], str], None]) -> None:
    """Change what is at a dotted place; where the answer has no such place (it is an error), nothing happens."""
    *above, name = place.split(".")
    for key in above:
        data = cast("dict[str, Any]", data).get(key) if isinstance(data, dict) else None
    if isinstance(data, dict):
        change(cast("dict[str, Any]", data), name)


def _of_another_type(value: object) -> object:
    return (
        "12" if isinstance(value, bool | int | float) else 12 if isinstance(value, str) else "text"
    )


class Faults:
    """The rules in force, and how often each has applied. The first that applies to a request decides."""

    def __init__(self, rules: Iterable[Fault] = (), seed: int = 0) -> None:
        self.seed = seed
        self.set(rules)

    def set(self, rules: Iterable[Fault]) -> None:
        """Put rules in place of those before, with their counts and the seed as at the start."""
        self.rules = tuple(rules)
        self._seen = [0] * len(self.rules)
        self._applied = [0] * len(self.rules)
        self._random = Random(self.seed)  # noqa: S311

    def pick(self, request: Request) -> Fault | None:
        """The rule for this request, if any."""
        matching = [index for index, rule in enumerate(self.rules) if rule.matches(request)]
        for index in matching:
            self._seen[index] += 1
        for index in matching:
            rule = self.rules[index]
            if rule.nth is not None and self._seen[index] != rule.nth:
                continue
            if rule.times is not None and self._applied[index] >= rule.times:
                continue
            if rule.probability < 1.0 and self._random.random() >= rule.probability:
                continue
            self._applied[index] += 1
            return rule
        return None


def read_faults(path: Path) -> list[Fault]:
    """The rules of a YAML or JSON file: a list of mappings, each with the names of `Fault`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such list; the message names the rule and what is wrong with it.
    """
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(cast("object", data), list):
        raise ValueError(f"{path}: is not a list of rules")
    known = {each.name for each in fields(Fault)}
    rules: list[Fault] = []
    for number, raw in enumerate(data, 1):
        if not isinstance(raw, dict):
            raise ValueError(f"{path}: rule {number} is not a mapping")
        rule = deepcopy(cast("dict[str, Any]", raw))
        if unknown := sorted(map(str, rule.keys() - known)):
            raise ValueError(
                f"{path}: rule {number} has no {unknown[0]!r}; it may have {', '.join(sorted(known))}"
            )
        rule["headers"] = _texts(rule.get("headers", {}))
        try:
            rules.append(Fault(**rule))
        except ValueError as error:
            raise ValueError(f"{path}: rule {number}: {error}") from error
    return rules


def _texts(headers: Any) -> Any:
    """Headers with their numbers as text, since YAML reads `Retry-After: 2` as one."""
    if headers.__class__ is not dict:
        return headers
    return {
        name: str(value) if type(value) in {int, float} else value
        for name, value in headers.items()
    }


_WHOLE = ("nth", "times", "truncate", "status", "gzip_bomb")
_SECONDS = ("latency", "drip")
_TEXTS = (
    "method",
    "path",
    "body",
    "redirect",
    "unknown_enum",
    "undocumented",
    "null",
    "wrong_type",
    "missing",
)
_SENT = re.compile(r"[ -~]*")


def _problem(rule: Fault) -> str | None:
    """What is wrong with a rule's values, if anything."""
    values = {each.name: getattr(rule, each.name) for each in fields(rule)}
    for name in _WHOLE:
        if values[name] is not None and (
            type(values[name]) is not int or values[name] < (name == "nth")
        ):
            return f"{name} must be a whole number, not {values[name]!r}"
    for name in (*_SECONDS, "probability"):
        number = values[name]
        fits = type(number) in {int, float} and number >= 0 and (name in _SECONDS or number <= 1)
        if not fits and not (name == "drip" and number is None):
            return f"{name} must be {'seconds' if name in _SECONDS else 'between 0 and 1'}, not {number!r}"
    for name in _TEXTS:
        if values[name] is not None and not isinstance(values[name], str):
            return f"{name} must be text, not {values[name]!r}"
    for name in ("header", "headers"):
        pairs = values[name].items() if isinstance(values[name], Mapping) else [(None, None)]
        if not all(
            isinstance(text, str) and _SENT.fullmatch(text) for pair in pairs for text in pair
        ):
            return f"{name} must be a mapping of names to texts in ASCII, not {values[name]!r}"
    if any(name.lower() in {"content-length", "transfer-encoding"} for name in rule.headers):
        return "headers must leave the length of the body alone; truncate cuts it"
    if rule.redirect is not None and not _SENT.fullmatch(rule.redirect):
        return f"redirect must be in ASCII, not {rule.redirect!r}"
    if rule.drop not in (None, "before", "within", "after"):
        return f"drop must be before, within or after (the headers), not {rule.drop!r}"
    if rule.status is not None and not 200 <= rule.status <= 999:
        return f"status must be between 200 and 999, not {rule.status!r}"
    return None
