"""Faults: rules that make the emulator misbehave as the API or a proxy in front of it does."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any, Literal, cast

import yaml

from .messages import Delivery, Request, Response

UNKNOWN_ENUM_VALUE = "TYPE_OF_TOMORROW"
"""An enum value that no spec documents."""

UNDOCUMENTED_VALUE: Mapping[str, str] = {"since": "tomorrow"}
"""The value of an undocumented field."""

PRINTABLE_ASCII = re.compile(r"[ -~]*")
"""What a header may contain; h11 and httpx reject control characters."""

FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header: a token (RFC 9110, section 5.6.2)."""

LENGTH_HEADERS = frozenset({"content-length", "transfer-encoding"})
"""The headers that frame a body. The server computes them."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A rule: the requests that it applies to, and the misbehaviour. All its conditions must match.

    The API does not process a request whose response is replaced (`status`, `redirect`,
    `gzip_bomb`) or dropped before its headers. It processes every other request.

    Raises:
        ValueError: a value is invalid; the message names the field.
    """

    # Conditions
    nth: int | None = None
    """Apply to the n-th request (from 1) of those that the other conditions match."""
    times: int | None = None
    """Apply to at most this many requests."""
    probability: float = 1.0
    """Apply to this share of the requests, drawn from the emulator's seed."""
    method: str | None = None
    path: str | None = None
    """A pattern for the raw path, such as `/conversations/*`."""
    header: Mapping[str, str] = field(default_factory=dict[str, str])
    """Patterns for headers of the request, by name."""

    # Misbehaviour
    latency: float = 0.0
    """Seconds before the response."""
    drop: Literal["before", "within", "after"] | None = None
    """The connection ends before, within or after the headers of the response."""
    truncate: int | None = None
    """The number of body bytes after which the connection ends."""
    drip: float | None = None
    """Seconds before each byte of the body."""
    status: int | None = None
    """A status that replaces the response, with `body` and `headers`."""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    redirect: str | None = None
    """The `Location` of a redirect (307) that replaces the response."""
    gzip_bomb: int | None = None
    """The decompressed size in bytes of a body of blanks that replaces the response."""
    unknown_enum: str | None = None
    """The place in the response, such as `conversation.lastMessageType`, that gets an
    undocumented enum value."""
    undocumented: str | None = None
    """The place in the response that gets an undocumented field."""
    null: str | None = None
    """The place in the response that becomes null."""
    wrong_type: str | None = None
    """The place in the response that gets a value of another type."""
    missing: str | None = None
    """The place in the response that is removed."""

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_texts(self)
        _check_headers(self)
        _check_response(self)

    @property
    def skips_api(self) -> bool:
        """Whether the API does not process the request."""
        replacements = (self.status, self.redirect, self.gzip_bomb)
        is_replaced = any(replacement is not None for replacement in replacements)
        return is_replaced or self.drop == "before"

    def matches(self, request: Request) -> bool:
        """Whether the method, path and headers of a request match."""
        if self.method is not None and self.method.upper() != request.method:
            return False
        if self.path is not None and not fnmatchcase(request.path, self.path):
            return False
        for name, pattern in self.header.items():
            value = request.headers.get(name.lower(), "")
            if not fnmatchcase(value, pattern):
                return False
        return True

    def apply(self, response: Response) -> Response:
        """The response with the misbehaviour of this rule."""
        delivery = Delivery(
            delay=self.latency, drop=self.drop, truncate=self.truncate, drip=self.drip
        )
        return replace(self._changed_response(response), delivery=delivery)

    def _changed_response(self, response: Response) -> Response:
        if self.status is not None:
            return Response(self.status, self.body.encode(), dict(self.headers))
        if self.redirect is not None:
            return Response(307, b"", {"Location": self.redirect})
        if self.gzip_bomb is not None:
            return _gzip_bomb(self.gzip_bomb)
        if self._changes_content and response.body:
            return self._with_changed_content(response)
        return response

    @property
    def _changes_content(self) -> bool:
        places = (
            self.unknown_enum,
            self.undocumented,
            self.null,
            self.wrong_type,
            self.missing,
        )
        return any(place is not None for place in places)

    def _with_changed_content(self, response: Response) -> Response:
        content = json.loads(response.body)
        if self.unknown_enum is not None:
            _set_value(content, self.unknown_enum, UNKNOWN_ENUM_VALUE)
        if self.undocumented is not None:
            _set_value(content, self.undocumented, UNDOCUMENTED_VALUE)
        if self.null is not None:
            _set_value(content, self.null, None)
        if self.wrong_type is not None:
            _change_type(content, self.wrong_type)
        if self.missing is not None:
            _remove_value(content, self.missing)
        text = json.dumps(content, ensure_ascii=False)
        # UTF-8 cannot encode half of a surrogate pair, so it stays an escape.
        return replace(response, body=text.encode(errors="backslashreplace"))


def non_default_fields(fault: Fault) -> dict[str, Any]:
    """The fields of a fault that differ from their defaults, by name."""
    default_values = vars(Fault())
    return {name: value for name, value in vars(fault).items() if value != default_values[name]}


def _gzip_bomb(size: int) -> Response:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    # Without a time the compressed bytes are the same in every run.
    compressed_body = gzip.compress(b" " * size, mtime=0)
    return Response(200, compressed_body, headers)


@dataclass(frozen=True)
class _Place:
    """A property in the content of a response."""

    parent: dict[str, Any]
    name: str


def _find_place(content: Any, dotted_path: str) -> _Place | None:
    """The property at a path; `None` if the response, such as an error, does not have it."""
    *parent_names, name = dotted_path.split(".")
    parent = content
    for parent_name in parent_names:
        if not isinstance(parent, dict):
            return None
        parent = cast("dict[str, Any]", parent).get(parent_name)
    if not isinstance(parent, dict):
        return None
    return _Place(cast("dict[str, Any]", parent), name)


def _set_value(content: Any, dotted_path: str, value: object) -> None:
    place = _find_place(content, dotted_path)
    if place is not None:
        place.parent[place.name] = value


def _change_type(content: Any, dotted_path: str) -> None:
    place = _find_place(content, dotted_path)
    if place is not None:
        value = place.parent.get(place.name)
        place.parent[place.name] = _value_of_another_type(value)


def _remove_value(content: Any, dotted_path: str) -> None:
    place = _find_place(content, dotted_path)
    if place is not None:
        place.parent.pop(place.name, None)


def _value_of_another_type(value: object) -> object:
    if isinstance(value, bool | int | float):
        return "12"
    if isinstance(value, str):
        return 12
    return "text"


# Validation. Rules come from files and from untyped tests, so types are checked as well.


def _check_numbers(fault: Fault) -> None:
    _check_whole_number("nth", fault.nth, minimum=1)
    _check_whole_number("times", fault.times)
    _check_whole_number("truncate", fault.truncate)
    _check_whole_number("status", fault.status)
    _check_whole_number("gzip_bomb", fault.gzip_bomb)
    _check_seconds("latency", fault.latency)
    if fault.drip is not None:
        _check_seconds("drip", fault.drip)
    if not _is_number(fault.probability) or not 0 <= fault.probability <= 1:
        raise ValueError(f"probability must be between 0 and 1, not {fault.probability!r}")


def _check_texts(fault: Fault) -> None:
    _check_text("method", fault.method)
    _check_text("path", fault.path)
    _check_text("body", fault.body)
    _check_body(fault.body)
    _check_text("redirect", fault.redirect)
    _check_text("unknown_enum", fault.unknown_enum)
    _check_text("undocumented", fault.undocumented)
    _check_text("null", fault.null)
    _check_text("wrong_type", fault.wrong_type)
    _check_text("missing", fault.missing)


def _check_headers(fault: Fault) -> None:
    _check_text_mapping("header", fault.header)
    _check_text_mapping("headers", fault.headers)
    for name, value in fault.headers.items():
        _check_outer_blanks(f"the header {name} in headers", value)
        if name.lower() in LENGTH_HEADERS:
            raise ValueError("headers must not set the length of the body; truncate cuts the body")


def _check_response(fault: Fault) -> None:
    if fault.redirect is not None:
        if not PRINTABLE_ASCII.fullmatch(fault.redirect):
            raise ValueError(f"redirect must be in ASCII, not {fault.redirect!r}")
        _check_outer_blanks("redirect", fault.redirect)
    if fault.drop not in (None, "before", "within", "after"):
        raise ValueError(f"drop must be before, within or after (the headers), not {fault.drop!r}")
    # Statuses below 200 are informational: a client waits for the response that follows them.
    if fault.status is not None and not 200 <= fault.status <= 999:
        raise ValueError(f"status must be between 200 and 999, not {fault.status!r}")


def _check_whole_number(name: str, value: object, *, minimum: int = 0) -> None:
    if value is None:
        return
    # `bool` is a subclass of `int`.
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ValueError(f"{name} must be a whole number, not {value!r}")


def _check_seconds(name: str, value: float) -> None:
    if not _is_number(value) or not value >= 0:
        raise ValueError(f"{name} must be a number of seconds, such as 1.5, not {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}")


def _check_body(body: str) -> None:
    try:
        body.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"body must be text that UTF-8 can encode: {error.reason}") from error


def _check_outer_blanks(name: str, value: str) -> None:
    """Reject blanks that h11 does not send (RFC 9112, section 5.1: they are no part of a value)."""
    if value != value.strip():
        raise ValueError(f"{name} must not start or end with a blank: {value!r}")


def _check_text_mapping(name: str, value: object) -> None:
    message = f"{name} must be a mapping of names to texts in ASCII, not {value!r}"
    if not isinstance(value, Mapping):
        raise ValueError(message)
    mapping = cast("Mapping[object, object]", value)
    for text in (*mapping.keys(), *mapping.values()):
        if not isinstance(text, str) or not PRINTABLE_ASCII.fullmatch(text):
            raise ValueError(message)
    for header_name in cast("Mapping[str, str]", value):
        if not FIELD_NAME.fullmatch(header_name):
            raise ValueError(
                f"{name} contains {header_name!r}, which is not the name of a header: use letters,"
                " digits and hyphens"
            )


def _check_iterable(faults: object) -> None:
    if not isinstance(faults, Iterable):
        raise TypeError(f"faults must be a list of Fault objects, not {faults!r}")


def _check_fault(value: object) -> None:
    if isinstance(value, list | tuple):
        raise TypeError("a fault is a list: pass its faults as arguments, set_faults(*faults)")
    if not isinstance(value, Fault):
        raise TypeError(f"a fault must be a Fault object, not {value!r}")


@dataclass
class FaultRule:
    """A rule in force."""

    number: int
    """Identifies the rule among those of an emulator."""
    fault: Fault
    matched: int = 0
    """How many requests its conditions on method, path and headers matched."""
    applied: int = 0
    """How many requests it applied to."""


class FaultRules:
    """The rules in force. The first rule that applies to a request decides.

    Args:
        faults: the rules.
        seed: for the rules with a probability.
    """

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self._seed = seed
        self._numbers = itertools.count(1)
        self._rules: list[FaultRule] = []
        self.set(faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The rules in force."""
        return tuple(rule.fault for rule in self._rules)

    @property
    def counted(self) -> list[FaultRule]:
        """Copies of the rules in force, with their numbers and counts."""
        return [replace(rule) for rule in self._rules]

    def add(self, faults: Iterable[Fault]) -> list[int]:
        """Append rules, and return their numbers. The counts of the other rules stay.

        Raises:
            TypeError: a rule is not a `Fault`. No rule is added.
        """
        rules = self._numbered(faults)
        self._rules += rules
        return [rule.number for rule in rules]

    def remove(self, number: int) -> bool:
        """Remove a rule; return whether there was one with this number."""
        remaining_rules = [rule for rule in self._rules if rule.number != number]
        is_removed = len(remaining_rules) < len(self._rules)
        self._rules = remaining_rules
        return is_removed

    def set(self, faults: Iterable[Fault]) -> None:
        """Replace the rules, and restart the counts and the random numbers.

        Raises:
            TypeError: a rule is not a `Fault`. The rules in force stay.
        """
        self._rules = self._numbered(faults)
        # The same seed gives the same requests in every run; nothing here is a secret.
        self._random = Random(self._seed)  # noqa: S311  # nothing secret

    def _numbered(self, faults: Iterable[Fault]) -> list[FaultRule]:
        _check_iterable(faults)
        checked_faults = list(faults)
        for fault in checked_faults:
            _check_fault(fault)
        return [FaultRule(next(self._numbers), fault) for fault in checked_faults]

    def pick(self, request: Request) -> Fault | None:
        """The rule that applies to a request; `None` for no fault."""
        matching_rules = [rule for rule in self._rules if rule.fault.matches(request)]
        # Every rule counts its requests, also those that an earlier rule decides.
        for rule in matching_rules:
            rule.matched += 1
        for rule in matching_rules:
            if self._applies(rule):
                rule.applied += 1
                return rule.fault
        return None

    def _applies(self, rule: FaultRule) -> bool:
        fault = rule.fault
        if fault.nth is not None and rule.matched != fault.nth:
            return False
        if fault.times is not None and rule.applied >= fault.times:
            return False
        if fault.probability == 1.0:
            return True
        return self._random.random() < fault.probability


def read_faults(path: Path) -> list[Fault]:
    """Read rules from a YAML or JSON file: a list of mappings with the fields of `Fault`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a list; the message names the rule and the problem.
    """
    try:
        rules: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0]
        raise ValueError(f"{path}: is not YAML: {first_line}") from error
    if not isinstance(rules, list):
        raise ValueError(f"{path}: is not a list of rules")

    faults: list[Fault] = []
    for number, rule in enumerate(cast("list[object]", rules), start=1):
        try:
            faults.append(fault_from(rule))
        except ValueError as error:
            raise ValueError(f"{path}: rule {number}: {error}") from error
    return faults


def fault_from(rule: object) -> Fault:
    """A fault from the data of a file or of a control request.

    Raises:
        ValueError: it is not a mapping with the fields of `Fault`, or a value is invalid.
    """
    if not isinstance(rule, dict):
        raise ValueError("it is not a mapping")
    options = deepcopy(cast("dict[str, Any]", rule))
    field_names = {option.name for option in fields(Fault)}
    unknown_names = sorted(map(str, options.keys() - field_names))
    if unknown_names:
        allowed_names = ", ".join(sorted(field_names))
        raise ValueError(f"unknown field {unknown_names[0]!r}; the fields are {allowed_names}")
    options["headers"] = _headers_from(options.get("headers", {}))
    return Fault(**options)


def _headers_from(headers: object) -> object:
    """Headers with numbers as text: YAML reads `Retry-After: 2` as a number."""
    if not isinstance(headers, dict):
        return headers
    texts: dict[object, object] = {}
    for name, value in cast("dict[object, object]", headers).items():
        texts[name] = str(value) if _is_number(value) else value
    return texts
