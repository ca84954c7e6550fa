"""A call of an operation that the spec does not have: `client.request`.

It has the credentials, the rate limit, the retries and the errors of any other call. There is no
schema, so its result is plain JSON data. Few programs use it, so it is imported with the first one.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

from .._generated import Operation
from .._generated.types import UNSET, Unset
from ..errors import ArgumentError, ConfigurationError
from .added_headers import checked_headers
from .additions import object_properties, reject_repeated
from .call import Call
from .checks import check_rate_limit_key, check_version
from .contract import OperationContract
from .contract_file import contract_value
from .http import InvalidURL, PreparedRequest, RawResponse
from .request import json_data, json_problem, request_problem
from .request_options import RequestOptions, checked_query
from .response import DecodedBody, ResponseReader, parse_body
from .scalars import Query, plain_text
from .secrets import Secret, encoded_forms
from .settings import Settings

Checked = TypeVar("Checked")

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods of operations. No API has CONNECT, and TRACE sends the token back."""

LONGEST_PATH = 8_000
"""Characters of the path alone: our own bound.

RFC 9110 (section 4.1) recommends that servers support at least 8,000 octets for the whole URI, with
its host and query. So servers may reject any longer path.
"""

# The characters of RFC 3986, section 3.3. It has no `?` and no `#`, and no backslash, which some
# servers take for a slash.
_PATH = re.compile(r"/(?:[A-Za-z0-9/:@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})*")

_EMPTY_CONTRACT_ENTRY: Mapping[str, Any] = {
    "pointer": "",
    "body": None,
    "arguments": [],
    "responses": {"default": {"content": "json", "pointer": "", "media_types": []}},
}
"""The contract of an operation that documents nothing, so that nothing deviates from it."""


def _decode(data: Any) -> Any:
    return data


_OPERATION: Operation[Any] = Operation(
    operation_id="", build=dict, success={"default": _decode}, errors={}
)


class UndocumentedRequest:
    """What a caller passed to `client.request`, before it is checked.

    Error reporters show the attributes of objects. Ids, personal data and credentials are secrets.
    """

    __slots__ = ("headers", "json", "method", "path", "query", "rate_limit_key", "version")

    def __init__(
        self,
        method: str,
        path: str,
        *,
        json: object,
        query: Query | None,
        headers: Mapping[str, str] | None,
        version: str | None,
        rate_limit_key: str,
    ) -> None:
        self.method = method
        self.path = Secret(path)
        self.json = Secret(json)
        self.query = Secret(query)
        self.headers = Secret(headers)
        self.version = version
        self.rate_limit_key = rate_limit_key


class UndocumentedCall(Call[Any]):
    """The state of a call of `client.request`. Its creation validates the arguments.

    Raises:
        ArgumentError: an argument is invalid.
    """

    def __init__(
        self, request: UndocumentedRequest, settings: Settings, options: RequestOptions | None
    ) -> None:
        method = _checked_method(request.method)
        # The path has ids, so no message shows it.
        super().__init__(f'client.request("{method}", …)', method, settings)
        path = _checked_path(request.path.reveal())
        version_headers = _version_headers(request.version, settings)
        self.rate_limit_key = check_rate_limit_key(
            request.rate_limit_key, "rate_limit_key must be a string"
        )
        # Nothing is known about what the token must permit. The vendor's scopes, such as
        # `conversations.write`, have the names of resources, with which most paths start. The rest
        # of a path has ids, so that each call would have a permission of its own.
        resource = path.split("/")[1]
        version = "".join(version_headers.values())
        self._permission = f"{method} /{resource} {self.rate_limit_key} {version}"
        self._request = _prepare_request(
            request, method, path, version_headers, settings, options or RequestOptions()
        )

    @property
    def permission(self) -> str:
        """See `Call`."""
        return self._permission

    @property
    def path_template(self) -> str | None:
        """See `Call`."""
        return None

    def reader(self) -> ResponseReader[Any]:
        """See `Call`."""
        contract = OperationContract(
            {**_EMPTY_CONTRACT_ENTRY, "name": self.name, "method": self.method}, {}
        )
        return _DataReader(
            _OPERATION,
            contract,
            self._settings,
            encoded_forms(self.tokens),
            self.attempts,
            self.rejection_explanation,
        )


class _DataReader(ResponseReader[Any]):
    """Reads the JSON data of a success, without a comparison with the spec."""

    def _decode_success(self, response_key: str, response: RawResponse) -> DecodedBody:
        if not response.body.strip():
            return DecodedBody(None)
        parsed_body = parse_body("json", response)
        return DecodedBody(parsed_body.data, parsed_body.problem)

    def _deviation_text(self, response: RawResponse, problem: str) -> str:
        return (
            f"{self._contract.name}: the API reported success ({response.status_code}), so the "
            f"request was probably executed, but its body cannot be parsed: {problem}"
        )


def _checked_method(method: object) -> str:
    """The method in upper case.

    Raises:
        ArgumentError: it is none of `METHODS`.
    """
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise ArgumentError(f"method must be one of {', '.join(METHODS)}", argument="method")
    return method.upper()


def _checked_path(path: object) -> str:
    """The path as a plain string. The URL of the request stays below the base URL.

    Raises:
        ArgumentError: the path is invalid, or leads out of the base URL. The message does not show
            it.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise _path_error(
            "must start with one /: it is added to the client's base_url, and has no host"
        )
    plain_path = plain_text(path)
    if len(plain_path) > LONGEST_PATH:
        raise _path_error(f"must have at most {LONGEST_PATH} characters")
    if "?" in plain_path:
        raise _path_error("must have no query: pass it as query=")
    if not _PATH.fullmatch(plain_path):
        raise _path_error(
            "must be a path alone, with other characters than letters, digits and -._~ encoded: "
            "use urllib.parse.quote(value, safe='') for each value in it"
        )
    if "//" in plain_path:
        raise _path_error("must have no empty segment: is a value in it empty?")
    # A server can decode a path before it removes dot segments (RFC 3986, section 5.2.4).
    segments = re.split(r"[/\\]", unquote(plain_path))
    if "." in segments or ".." in segments:
        raise _path_error("must have no segment '.' or '..', which would change the URL")
    return plain_path


def _path_error(problem: str) -> ArgumentError:
    return ArgumentError(f"path {problem}", argument="path")


def _version_headers(version: object, settings: Settings) -> dict[str, str]:
    """The header with the API version, by name; empty if the API has no header for it.

    Args:
        version: the argument of the call; `None` without one.
        settings: the settings of the client, with its version.

    Raises:
        ArgumentError: no header can carry the version, or the API has no header for it.
    """
    header = contract_value("version_header")
    if header is None and version is not None:
        raise ArgumentError(
            "version must be left out: the spec has no header for the version of the API",
            argument="version",
        )
    if header is None:
        return {}
    argument = _with_argument_error("version", check_version, version)
    return {header["name"]: argument or settings.version or header["default"]}


def _prepare_request(
    request: UndocumentedRequest,
    method: str,
    path: str,
    version_headers: Mapping[str, str],
    settings: Settings,
    options: RequestOptions,
) -> PreparedRequest:
    """The request of a call, without its token.

    Raises:
        ArgumentError: a part of it is invalid, or clashes with the options.
    """
    # Those that generated code would return for an operation. `prepare` adds them to the client's
    # own headers. Those of the caller replace headers of the client.
    operation_headers = dict(version_headers)
    added_headers = _added_headers(request, options)
    arguments: dict[str, Any] = {"method": method, "url": path, "headers": operation_headers}
    query = _query(request, options)
    if query:
        arguments["params"] = query
    body = _body(request, options)
    if not isinstance(body, Unset):
        arguments["json"] = body
        operation_headers["Content-Type"] = "application/json"
    try:
        return settings.requests.prepare(method, arguments, added_headers)
    except (TypeError, ValueError, RecursionError, InvalidURL) as error:
        problem = request_problem(error)
    # Each part is valid alone, but together they make a URL that is too long.
    lengths = {
        "path": len(path),
        "query": len(str(request.query.reveal())),
        "options": len(str(options.query)),
    }
    name = max(lengths, key=lengths.__getitem__)
    # Here and below, errors are raised while no exception is handled. It would be the context of
    # the new one, and its text, attributes or frames can have values of the request.
    raise ArgumentError(f"{name} makes no request: {problem}", argument=name)


def _added_headers(request: UndocumentedRequest, options: RequestOptions) -> dict[str, str]:
    """The headers of the call and of its options.

    Raises:
        ArgumentError: one is invalid, or both have it.
    """
    headers = _with_argument_error(
        "headers", partial(checked_headers, "headers"), request.headers.reveal()
    )
    lower_names = {name.lower() for name in headers}
    reject_repeated([name.lower() for name in options.headers], lower_names, "headers")
    return {**headers, **options.headers}


def _query(request: UndocumentedRequest, options: RequestOptions) -> dict[str, tuple[str, ...]]:
    """The query parameters of the call and of its options.

    Raises:
        ArgumentError: one is invalid, or both have it.
    """
    query = _with_argument_error("query", partial(checked_query, "query"), request.query.reveal())
    reject_repeated(options.query, query, "query")
    return {**query, **options.query}


def _body(request: UndocumentedRequest, options: RequestOptions) -> object:
    """The JSON data of the body, with the properties of the options; `UNSET` without a body.

    Raises:
        ArgumentError: JSON cannot hold the data, or there is no place for the properties.
    """
    argument = request.json.reveal()
    added_properties = options.body
    if isinstance(argument, Unset) and not added_properties:
        return UNSET
    data = _json_argument(argument)
    if not added_properties:
        return data
    properties = object_properties(data)
    reject_repeated(added_properties, properties, "body")
    return {**properties, **added_properties}


def _json_argument(value: object) -> object:
    """The JSON data of the argument `json`; an empty object without it.

    Raises:
        ArgumentError: JSON cannot hold it.
    """
    if isinstance(value, Unset):
        return {}
    try:
        return json_data(value)
    except Exception as error:  # a mapping or a model of the caller can raise anything
        problem = json_problem(error)
    raise ArgumentError(f"json must be data that JSON can hold ({problem})", argument="json")


def _with_argument_error(
    argument: str, check: Callable[[object], Checked], value: object
) -> Checked:
    """The result of the check of an option, for an argument with the same rules.

    Raises:
        ArgumentError: the check raised `ConfigurationError`. It has the same message.
    """
    try:
        return check(value)
    except ConfigurationError as error:
        problem = str(error)
    raise ArgumentError(problem, argument=argument)
