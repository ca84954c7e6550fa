"""Random arguments of a call: usually of the right type, otherwise any Python value."""

from __future__ import annotations

import datetime
import math
from collections import ChainMap, OrderedDict, UserDict, UserString
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from random import Random
from types import MappingProxyType
from typing import Any
from uuid import UUID

from leadconnector import UNSET
from leadconnector.models import ApiVersion, ConversationFeedback, LastMessageType

from .bodies import nested
from .constants import CONVERSATION_ID

REQUIRED = {"conversation_id", "location_id"}
"""The required arguments of the operation."""


def random_arguments(random: Random) -> dict[str, Any]:
    """Arguments of `update_conversation`: the required ones, and half of the optional ones."""
    arguments: dict[str, Any] = {}
    for name, draw in ACCEPTABLE_VALUES.items():
        if name not in REQUIRED and random.random() >= 0.5:
            continue
        is_odd = random.random() < 0.15
        arguments[name] = any_value(random) if is_odd else draw(random)
    return arguments


# Values of the right type


ODD_TEXTS = (
    CONVERSATION_ID,
    # Texts with a meaning in a path or URL.
    "",
    ".",
    "..",
    "...",
    "a/b",
    "a/../b",
    "%2F",
    "%",
    "%2e%2e",
    "a b",
    "?",
    "#",
    "a?b#c",
    "\\",
    ";",
    # Unicode, control characters, surrogates, and the limit of 512 characters.
    "é日本😀",
    "\x00",
    "a\nb",
    "\r\n",
    "\x7f",
    "\x85",
    "\u2028",
    "\ud800",
    "a\udfff",
    "x" * 512,
    "x" * 513,
    "é" * 512,
    # Texts with a meaning in a header or in JSON, and invisible characters.
    " ",
    " v3",
    "v3 ",
    "v3",
    "2021-07-28",
    "v3\r\nX-Other: 1",
    "vé",
    "null",
    "true",
    '"',
    "\ufeff",
    "\u202e",
    "a\u0301",
)


def random_text(random: Random) -> str:
    """A text that may be an id: a usual one, an odd one, or nine random characters."""
    if random.random() < 0.7:
        return random.choice(ODD_TEXTS)
    return "".join(random_character(random) for _ in range(9))


def random_character(random: Random) -> str:
    """An ASCII character, or any code point."""
    ascii_code = random.randrange(128)
    any_code = random.randrange(0x110000)
    return chr(random.choice([ascii_code, any_code]))


def random_number(random: Random) -> Any:
    """A number: usually one that JSON can express."""
    count = random.choice([9, 9, len(NUMBERS)])
    return random.choice(NUMBERS[:count])


def random_boolean(random: Random) -> bool:
    """True or False."""
    return random.random() < 0.5


def random_feedback(random: Random) -> dict[str, Any]:
    """A free-form object with one member."""
    name = random_text(random)
    value = random.choice([any_value(random), random_text(random), [1.5, None], math.nan])
    return {name: value}


def random_version(random: Random) -> Any:
    """A version of the API, or any text."""
    return random.choice(["2021-07-28", "v3", ApiVersion("2021-07-28"), random_text(random)])


ACCEPTABLE_VALUES: Mapping[str, Callable[[Random], Any]] = {
    "conversation_id": random_text,
    "location_id": random_text,
    "unread_count": random_number,
    "starred": random_boolean,
    "feedback": random_feedback,
    "version": random_version,
}
"""For each argument of the operation, a function that draws a value of its type."""


# Objects that behave in unexpected ways


class DisguisedText(str):
    """A string whose methods return other strings than its content."""

    def __str__(self) -> str:
        return ".."

    def __format__(self, spec: str) -> str:
        return "../.."

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Bytes that are not the content."""
        return b"\xff"

    def __len__(self) -> int:
        return 1


class IntegerThatPrintsText(int):
    """An integer whose text would be a JSON string."""

    def __str__(self) -> str:
        return '"x"'

    __repr__ = __str__


class FloatThatPrintsNaN(float):
    """A float whose text is not valid JSON."""

    def __str__(self) -> str:
        return "NaN"

    __repr__ = __str__


class ChangingMapping(dict[str, Any]):
    """A dictionary with other items at the second access: invalid after a successful check."""

    accesses = 0

    def items(self) -> Any:
        """The items: valid ones at first."""
        self.accesses += 1
        value = "\ud800" if self.accesses > 1 else 1
        return {"a": value}.items()


class HostileObject:
    """An object that raises an exception at every access."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __iter__(self) -> Iterator[object]:
        raise TypeError("no items")

    def __len__(self) -> int:
        raise ValueError("no length")

    def __eq__(self, other: object) -> bool:
        raise TypeError("not comparable")

    __hash__ = object.__hash__

    def to_dict(self) -> object:
        """Fails, although models have this method."""
        raise AttributeError("no data")


class EndlessModel:
    """A model that contains itself."""

    def to_dict(self) -> object:
        """The model itself."""
        return self


class Colour(StrEnum):
    """An enum with the `str()` of Python before `StrEnum`."""

    RED = "red"

    def __str__(self) -> str:
        return "Colour.RED"


class Size(IntEnum):
    """An enum of integers."""

    LARGE = 3


class PlainEnum(Enum):
    """An enum whose members are neither strings nor integers."""

    ONE = 1


NUMBERS: tuple[Any, ...] = (
    0,
    1,
    -1,
    2**63,
    10**400,
    10**5000,
    -0.0,
    0.5,
    1e308,
    # Below: numbers at a limit, without a JSON form, or of another type.
    5e-324,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    True,
    False,
    IntegerThatPrintsText(3),
    FloatThatPrintsNaN(0.5),
    Size.LARGE,
    Decimal(3),
    Decimal("NaN"),
    Fraction(1, 3),
    3j,
)


# Any Python value


def any_value(random: Random, depth: int = 3) -> Any:
    """Any Python value, with containers up to this depth."""
    draw = random.choice(ANY_VALUES if depth else FLAT_VALUES)
    return draw(random, depth - 1)


def any_text(random: Random, _: int) -> Any:
    """A text."""
    return random_text(random)


def any_number(random: Random, _: int) -> Any:
    """A number of any type."""
    return random.choice(NUMBERS)


def any_object(random: Random, _: int) -> Any:
    """An object without a JSON form."""
    return random.choice(
        [
            None,
            UNSET,
            object(),
            HostileObject(),
            EndlessModel(),
            int,
            len,
            Exception("x"),
            ...,
        ]
    )


def any_sequence(random: Random, _: int) -> Any:
    """A sequence or an iterable other than a list."""
    return random.choice(
        [b"bytes", bytearray(b"x"), memoryview(b"x"), range(3), iter([1]), {1, 2}, (1, "a")]
    )


def any_enum_member(random: Random, _: int) -> Any:
    """A member of an enum, of the client or of others."""
    return random.choice(
        [Colour.RED, PlainEnum.ONE, ApiVersion("2021-07-28"), LastMessageType("TYPE_NEW")]
    )


def any_standard_value(random: Random, _: int) -> Any:
    """A date, a time or a UUID."""
    return random.choice(
        [datetime.date(2026, 1, 2), datetime.time(3), datetime.datetime(1, 1, 1), UUID(int=1)]
    )


def any_disguised_text(random: Random, _: int) -> Any:
    """An object that resembles a string."""
    return random.choice(
        [DisguisedText("abc"), DisguisedText(".."), DisguisedText("\ud800"), UserString("abc")]
    )


def any_depth(random: Random, _: int) -> Any:
    """A deeply nested value."""
    return nested(random.choice([10, 100, 400, 2000]))


def any_cycle(random: Random, _: int) -> Any:
    """A container that contains itself."""
    cycle: list[Any] = [1]
    cycle.append(cycle if random.random() < 0.5 else {"a": cycle})
    return random.choice([cycle, {"self": cycle}])


def any_list(random: Random, depth: int) -> Any:
    """A list of up to three values."""
    return [any_value(random, depth) for _ in range(random.randrange(4))]


def any_dictionary(random: Random, depth: int) -> Any:
    """A dictionary whose key may have any type."""
    key = random.choice([random_text(random), 1, None, 1.5, ("a", 1)])
    return {key: any_value(random, depth)}


def any_mapping(random: Random, depth: int) -> Any:
    """A mapping other than a dictionary."""
    mapping = random.choice([MappingProxyType, OrderedDict, UserDict, ChainMap, ChangingMapping])
    key = random_text(random)
    return mapping({key: any_value(random, depth)})


def any_model(random: Random, _: int) -> Any:
    """A model of the client with an additional property."""
    value = random.choice([[1.5, None, random_text(random)], "x", object(), math.nan])
    return ConversationFeedback.from_dict({"a": value})


Draw = Callable[[Random, int], Any]
"""Draws a value with containers up to a depth."""

FLAT_VALUES: tuple[Draw, ...] = (
    any_text,
    any_number,
    any_object,
    any_sequence,
    any_enum_member,
    any_standard_value,
    any_disguised_text,
)
ANY_VALUES: tuple[Draw, ...] = (
    *FLAT_VALUES,
    any_depth,
    any_cycle,
    any_list,
    any_dictionary,
    any_mapping,
    any_model,
)
