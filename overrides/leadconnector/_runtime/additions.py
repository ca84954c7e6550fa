"""Adds to a request what the spec does not have: query parameters and body properties of a call.

Headers need only the check here. `RequestFactory` adds them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from .._generated.types import Unset
from ..errors import ArgumentError
from .contract import OperationContract
from .request import Arguments
from .request_options import RequestOptions


def with_additions(
    contract: OperationContract,
    arguments: Arguments,
    request: Mapping[str, Any],
    options: RequestOptions,
) -> dict[str, Any]:
    """The request of a call with the additions of its options.

    Args:
        contract: the operation in the spec.
        arguments: the validated arguments of the call.
        request: keyword arguments for `httpx.Request`, as generated code returns them.
        options: the options of the call.

    Raises:
        ArgumentError: an addition is an argument of the call, or there is no place for it.
    """
    _reject_arguments(contract, arguments, options)
    changed_request = dict(request)
    if options.query:
        changed_request["url"] = _with_query(request["url"], options.query)
    added_properties = options.body
    if added_properties:
        changed_request["json"] = _with_properties(contract, request, added_properties)
        if "json" not in request:
            headers = {"Content-Type": contract.body, **request.get("headers", {})}
            changed_request["headers"] = headers
    return changed_request


def reject_repeated(names: Collection[str], other_names: Collection[str], option: str) -> None:
    """Reject additions that the call has already.

    Raises:
        ArgumentError: names the first one.
    """
    for name in names:
        if name in other_names:
            raise _clash(option, name, "the request has it already")


def object_properties(data: object) -> dict[str, Any]:
    """The properties of a body that is a JSON object.

    Raises:
        ArgumentError: it is none.
    """
    if not isinstance(data, dict):
        raise _no_json_object()
    return cast("dict[str, Any]", data)


def _reject_arguments(
    contract: OperationContract, arguments: Arguments, options: RequestOptions
) -> None:
    """Reject additions that are arguments of the call.

    An argument that the caller left out may be added, so that the API can get another value than
    the spec allows. But the client needs the value of an argument with a role.
    """
    header_names = {name.lower() for name in options.headers}
    body_names = options.body.keys()
    for argument, (entry, _) in contract.arguments.items():
        name: str = entry["name"]
        is_free = isinstance(arguments[argument], Unset) and "role" not in entry
        match entry["in"]:
            case "query" if name in options.query and not is_free:
                raise _argument_clash("query", name, argument)
            case "body" if name in body_names and not is_free:
                raise _argument_clash("body", name, argument)
            case "header" if name.lower() in header_names and not is_free:
                raise _argument_clash("headers", name, argument)
            case "cookie" if "cookie" in header_names and not is_free:
                raise _argument_clash("headers", "Cookie", argument)
            case _:
                pass


def _with_query(url: str, query: Mapping[str, Sequence[str]]) -> str:
    """A URL with further parameters. A parameter with several values is repeated."""
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}{urlencode(query, doseq=True)}"


def _with_properties(
    contract: OperationContract, request: Mapping[str, Any], added_properties: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of a request with the additional properties.

    Raises:
        ArgumentError: the body is no JSON object, or has one of the properties.
    """
    if "json" not in (contract.body or ""):
        raise _no_json_object()
    properties = object_properties(request.get("json", {}))
    # The names of a body that is one argument. Others are rejected as arguments.
    reject_repeated(added_properties.keys() - _names_in_body(contract), properties, "body")
    return {**properties, **added_properties}


def _names_in_body(contract: OperationContract) -> set[str]:
    return {entry["name"] for entry, _ in contract.arguments.values() if entry["in"] == "body"}


def _no_json_object() -> ArgumentError:
    return ArgumentError(
        "options: body adds properties to a JSON object, and the body of this request is none",
        argument="options",
    )


def _argument_clash(option: str, name: str, argument: str) -> ArgumentError:
    return _clash(option, name, f"pass it as the argument {argument} of the call")


def _clash(option: str, name: str, reason: str) -> ArgumentError:
    return ArgumentError(
        f"options: {option} must not contain {name!r}: {reason}", argument="options"
    )
