"""Checks a call's arguments against the contract, so that what the API would refuse, or misread, is never sent."""

import datetime
import json
import uuid
from collections.abc import Mapping
from typing import Any, cast

from ._contract import Documented, Plan, Schema
from ._generated.types import Unset
from .errors import ArgumentError


def checked(known: Documented, arguments: Mapping[str, object], version: str | None) -> dict[str, Any]:
    """The arguments, each of them acceptable, with those filled in that the contract has a default for.

    Raises:
        ArgumentError: names the first argument that is not acceptable, and what it must be.
    """
    complete = dict(arguments)
    for name, (argument, plan) in known.arguments.items():
        if "default" in argument and isinstance(complete[name], Unset):
            own = version is not None and argument.get("role") == "api-version"
            complete[name] = version if own else argument["default"]
        if problem := _problem(argument, plan, complete):
            arguments = complete = {}  # a traceback may be told with the variables of its frames
            raise ArgumentError(problem, argument=name)
    return complete


def _problem(argument: Schema, plan: Plan, complete: dict[str, Any]) -> str:
    """What is wrong with an argument; empty where nothing is, and what was examined is then what is sent."""
    name, schema, value = argument["argument"], argument["schema"], complete[argument["argument"]]
    absent = isinstance(value, Unset)
    if absent or schema is None:  # with no schema, it is a body that is no JSON: the generated builder knows its form
        return f"{name} is required" if absent and argument["required"] else ""
    # JSON certainly holds it as it is. What is smaller than 1e300 is finite, with no more digits than Python writes.
    plain = value.isascii() if type(value) is str else type(value) in {bool, int, float} and -1e300 < value < 1e300
    try:
        data = value if plain else json.loads(_JSON.encode(value).encode())
        _, found = plan.fit(data, name)
    except Exception as error:  # beside what JSON is unfit for, whatever a mapping or a model of the caller's raises
        ours = isinstance(error, AttributeError | TypeError | ValueError | RecursionError)
        return f"{name} must be data that JSON can hold ({error if ours else type(error).__name__})"
    if found:
        return f"{found[0].path} must be {found[0].expected}"
    if data is not value and (isinstance(value, str | Mapping) or (isinstance(data, str) and "format" not in schema)):
        complete[name] = data
    return ""


def _encoded(value: Any) -> object:
    """What `json.dumps` can write, of a model, a mapping, a date or a UUID."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, datetime.date | uuid.UUID):
        return getattr(value, "isoformat", value.__str__)()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} is no such data")


_JSON = json.JSONEncoder(default=_encoded, allow_nan=False, ensure_ascii=False)
