"""Turns the arguments of a call into an HTTP request, and rejects invalid arguments."""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from .._generated import Operation
from .._generated.types import File, UnsendableError, Unset
from ..errors import ArgumentError
from .contract import OperationContract
from .finding import JsonPath
from .http import InvalidURL, PreparedRequest, RequestFactory
from .keywords import Schema
from .protocols import GENERATED_CODE_ERRORS
from .scalars import is_numpy_scalar, plain_scalar
from .schema import Validator

if TYPE_CHECKING:
    from .request_options import RequestOptions


_BODY_KEYWORDS = frozenset({"content", "data", "files", "json"})
"""The keyword arguments of `httpx.Request` that are a body."""

_BODY_PLACES = frozenset({"additional", "body"})
"""The places of arguments in the contract that are in the body."""


class Arguments(dict[str, Any]):
    """Arguments by name. An omitted one is `UNSET`.

    They can be personal data, and a traceback can show variables. So the repr shows no value.
    """

    def __repr__(self) -> str:
        return f"Arguments({len(self)})"


def complete_arguments(
    contract: OperationContract, arguments: Arguments, version: str | None
) -> None:
    """Validate the arguments of a call in place.

    An omitted argument gets its default. All others become plain JSON data, except a body that is a
    multipart form, a text or a file. So the request contains what was validated, whatever a model
    or a mapping of the caller would write, and no read-only property.

    Args:
        contract: the operation in the spec.
        arguments: all arguments of the operation.
        version: replaces the default of the argument that is the API version.

    Raises:
        ArgumentError: names the first invalid argument and what it must be, without its value.
    """
    for name, (argument, validator) in contract.arguments.items():
        if "default" in argument and isinstance(arguments[name], Unset):
            arguments[name] = _default(argument, version)
        if _is_valid_unchanged(arguments[name], validator):
            continue
        is_data = contract.sends_data or argument["in"] not in _BODY_PLACES
        check = check_argument(argument, validator, arguments[name], is_data=is_data)
        if check.problem:
            raise ArgumentError(check.problem, argument=name)
        arguments[name] = check.value
        if argument["in"] == "additional":
            _reject_named_properties(contract, name, arguments[name])


def rate_limit_key(contract: OperationContract, arguments: Arguments) -> str:
    """The values of the arguments for which the API counts calls separately."""
    return _joined(contract.rate_limit_key, arguments)


def api_version(contract: OperationContract, arguments: Arguments) -> str:
    """The API version of a call; empty if the operation has none."""
    return _joined(contract.version_arguments, arguments)


def _joined(names: Sequence[str], arguments: Arguments) -> str:
    """The values of arguments as one text, without those that the caller left out."""
    values = [arguments[name] for name in names]
    return "/".join([str(value) for value in values if not isinstance(value, Unset)])


def prepare_request(
    contract: OperationContract,
    operation: Operation[Any],
    arguments: Arguments,
    requests: RequestFactory,
    options: "RequestOptions | None",
) -> PreparedRequest:
    """The request of a call, without its token.

    Raises:
        ArgumentError: the arguments are valid one by one, but make no request. Or they clash with
            the options of the call.
    """
    try:
        request = operation.build(**arguments)
        _check_body(contract, arguments, request)
        if options is None:
            return requests.prepare(contract.method, request, accept=contract.accept)
        # Imported here, which keeps the import of the package fast: few programs need it.
        from .additions import with_additions  # noqa: PLC0415

        changed_request = with_additions(contract, arguments, request, options)
        return requests.prepare(
            contract.method, changed_request, options.headers, accept=contract.accept
        )
    except ArgumentError:
        # It is a `ValueError` too, but says already what is wrong.
        raise
    except (*GENERATED_CODE_ERRORS, InvalidURL) as error:
        name = _unusable_argument(contract, arguments, options, error)
        problem = f"{name} makes no request: {request_problem(error)}"
        if name == contract.whole_body and isinstance(error, AttributeError | TypeError):
            problem = _type_problem(name, arguments)
    # Outside of the handler: exceptions of Python can have the whole body as an attribute.
    raise ArgumentError(problem, argument=name)


def request_problem(error: Exception) -> str:
    """Why an argument makes no request, for a message. It does not show a value."""
    if isinstance(error, InvalidURL):
        # The messages of httpx name a component of the URL, and quote at most a character of it.
        return str(error)
    if isinstance(error, UnsendableError):
        return str(error)
    if isinstance(error, UnicodeError):
        return "a text has half of a surrogate pair"
    # The text of other exceptions can contain the value.
    return type(error).__name__


def _reject_named_properties(
    contract: OperationContract, argument: str, properties: Mapping[str, Any] | Unset
) -> None:
    """Reject properties of the body that have an argument of their own.

    Raises:
        ArgumentError: names the property and its argument.
    """
    if isinstance(properties, Unset):
        return
    for name, (entry, _) in contract.arguments.items():
        if entry["in"] == "body" and entry["name"] in properties:
            raise ArgumentError(
                f"{argument} must not contain {entry['name']!r}: pass it as the argument {name}",
                argument=argument,
            )


def _check_body(
    contract: OperationContract, arguments: Arguments, request: Mapping[str, Any]
) -> None:
    """Check that a body which is one argument is in the request.

    The generated code of several content types leaves out an object of any other class.

    Raises:
        ArgumentError: it is not.
    """
    if contract.whole_body is None or not _BODY_KEYWORDS.isdisjoint(request):
        return
    name = contract.whole_body
    if not isinstance(arguments[name], Unset):
        raise ArgumentError(_type_problem(name, arguments), argument=name)


def _type_problem(name: str, arguments: Arguments) -> str:
    type_name = type(arguments[name]).__name__
    return f"{name} must be of a type in the signature of the method, not of the type {type_name}"


def _unusable_argument(
    contract: OperationContract,
    arguments: Arguments,
    options: "RequestOptions | None",
    error: Exception,
) -> str:
    """The name of the argument that makes no request."""
    if isinstance(error, InvalidURL):
        return _longest_url_argument(contract, arguments, options)
    # All others are plain JSON data, which generated code only copies.
    if contract.whole_body is not None and not contract.sends_data:
        return contract.whole_body
    body_arguments = [
        name
        for name, (entry, _) in contract.arguments.items()
        if entry["in"] == "body" and not isinstance(arguments[name], Unset)
    ]
    return ", ".join(body_arguments)


def _longest_url_argument(
    contract: OperationContract, arguments: Arguments, options: "RequestOptions | None"
) -> str:
    """The name of the argument with the longest text in the URL."""
    lengths = {
        name: len(str(arguments[name]))
        for name, (entry, _) in contract.arguments.items()
        if entry["in"] in {"path", "query"}
    }
    if options is not None:
        lengths["options"] = len(str(options.query))
    return max(lengths, key=lengths.__getitem__)


@dataclass(frozen=True, slots=True)
class ArgumentCheck:
    """The result of a check: a problem, or the value to send."""

    problem: str = ""
    """What the argument must be; empty for a valid one."""
    value: object = field(default=None, repr=False)
    """What to send in place of a valid argument."""


def check_argument(
    argument: Schema, validator: Validator, value: object, *, is_data: bool = True
) -> ArgumentCheck:
    """Validate one argument against its schema.

    Args:
        argument: its description in the contract.
        validator: its compiled schema.
        value: what the caller passed.
        is_data: whether generated code takes JSON data. It takes the model of a multipart form.
    """
    name = argument["argument"]
    if isinstance(value, Unset):
        return ArgumentCheck(f"{name} is required" if argument["required"] else "", value)
    if argument["schema"] is None:
        # A text, a file, or one of several types. The generated builder knows its form.
        return ArgumentCheck(value=value)
    try:
        data = json_data(value) if is_data else _form_data(value)
        normalised = validator.normalise(data, JsonPath(None, name))
    except Exception as error:  # a mapping or a model of the caller can raise anything
        return ArgumentCheck(f"{name} must be data that JSON can hold ({json_problem(error)})")
    findings = normalised.findings
    if findings:
        problem = f"{findings[0].path} must be {findings[0].expected}"
        if findings[0].kind == "null":
            problem += ", not None"
        if value is None and not argument["required"]:
            problem += f": leave {name} out instead"
        return ArgumentCheck(problem)
    return ArgumentCheck(value=normalised.data if is_data else value)


def json_data(value: object) -> Any:
    """A value of the caller as plain JSON data.

    Raises:
        Exception: JSON cannot hold it. Objects of the caller can raise anything.
    """
    data: Any = json.loads(_encode_argument(value).encode())
    _check_time_zones(value)
    return data


def json_problem(error: Exception) -> str:
    """Why `json_data` failed, for a message. It does not show the value."""
    if isinstance(error, AttributeError | TypeError | ValueError | RecursionError):
        return str(error)
    # The text of other exceptions can contain the value.
    return type(error).__name__


def _default(argument: Schema, version: str | None) -> object:
    if version is not None and argument.get("role") == "api-version":
        return version
    return argument["default"]


def _is_valid_unchanged(value: Any, validator: Validator) -> bool:
    """Whether a value is certainly valid, and JSON represents it unchanged.

    This fast path serves most arguments. It may miss valid values, which are then validated fully.
    """
    kind: type[Any] = value.__class__
    is_valid = validator.quick_checks.get(kind)
    if is_valid is None:
        return False
    if kind is str:
        return value.isascii() and bool(is_valid(value))
    if kind in {bool, int, float}:
        # Finite, and with no more digits than Python writes (`sys.get_int_max_str_digits`).
        return -1e300 < value < 1e300 and bool(is_valid(value))
    return False


def _form_data(value: object) -> Any:
    """The data of a multipart form, in which a file is a text, and without null.

    Raises:
        Exception: JSON cannot hold it. Objects of the caller can raise anything.
    """
    data: Any = json.loads(_encode_form(value).encode())
    _check_time_zones(value)
    if not isinstance(data, dict):
        return data
    parts: dict[str, Any] = {}
    for name, part in cast("dict[str, Any]", data).items():
        # A form has no null. It has no part for an empty list either, but the list is valid.
        if isinstance(part, list):
            items = cast("list[object]", part)
            parts[name] = [item for item in items if item is not None]
        elif part is not None:
            parts[name] = part
    return parts


def _jsonable(value: Any) -> object:
    """Convert a mapping, a number, a date, a UUID or a model for `json.JSONEncoder`.

    Raises:
        TypeError: it is nothing of these.
    """
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, datetime.date):
        return value.isoformat()
    if _is_uuid(value):
        return str(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return plain_scalar(value)


def _jsonable_part(value: Any) -> object:
    """Convert a value of a multipart form, in which files are texts.

    Raises:
        TypeError: no form can hold it.
    """
    if isinstance(value, File):
        return "file"
    return _jsonable(value)


def _is_uuid(value: object) -> bool:
    # Not imported at the start, which takes milliseconds: few programs send one.
    import uuid  # noqa: PLC0415

    return isinstance(value, uuid.UUID)


def _check_time_zones(value: object) -> None:
    """Reject a time without a time zone, at any depth.

    Raises:
        ValueError: there is one. The API would have to guess its zone, and could be hours off. RFC
            3339, section 5.6, which defines OpenAPI's `date-time`, requires an offset.
    """
    if is_numpy_scalar(value):
        # A `datetime64` has no time zone.
        value = plain_scalar(value)
    if isinstance(value, datetime.datetime) and value.utcoffset() is None:
        raise ValueError(
            "a datetime needs a time zone, for example datetime.now(datetime.timezone.utc)"
        )
    if isinstance(value, Mapping):
        for item in cast("Mapping[object, object]", value).values():
            _check_time_zones(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            _check_time_zones(item)
    else:
        # A generated model has attributes. Its own `to_dict` would write the time without a zone.
        for attribute in getattr(type(value), "__attrs_attrs__", ()):
            _check_time_zones(getattr(value, attribute.name))


_encode_form = json.JSONEncoder(default=_jsonable_part, allow_nan=False, ensure_ascii=False).encode
_encode_argument = json.JSONEncoder(default=_jsonable, allow_nan=False, ensure_ascii=False).encode
