"""A call of an operation that the spec does not have: `client.request`.

It has the credentials, the rate limit, the retries and the errors of any other call. There is no
schema, so its result is plain JSON data. Few programs use it, so it is imported with the first one.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

from .._generated import Operation
from .._generated.types import Unset
from ..errors import ArgumentError, ConfigurationError
from .added_headers import checked_headers
from .additions import object_properties, reject_repeated
from .call import Call
from .checks import check_version, has_lone_surrogate
from .contract import OperationContract
from .contract_file import contract_value
from .http import InvalidURL, PreparedRequest, RawResponse
from .request import json_data, json_problem, request_problem
from .request_options import RequestOptions, checked_query
from .response import DecodedBody, ResponseReader, parse_body
from .scalars import Query
from .secrets import Secret, encoded_forms
from .settings import Settings

Checked = TypeVar("Checked")

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods of operations. No API has CONNECT, and TRACE sends the token back."""

LONGEST_PATH = 8_000
"""Characters. RFC 9110 (section 4.1) recommends that servers support URLs of this length."""

# The characters of RFC 3986, section 3.3. It has no `?` and no `#`, and no backslash, which some
# servers take for a slash.
_PATH = re.compile(r"/(?:[A-Za-z0-9/:@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})*")

_ENTRY: Mapping[str, Any] = {
    "pointer": "",
    "body": None,
    "arguments": [],
    "responses": {"default": {"content": "json", "pointer": "", "media_types": []}},
}
"""An operation in the contract that documents nothing, so that nothing deviates from it."""


def _decode(data: Any) -> Any:
    return data


_OPERATION: Operation[Any] = Operation("", dict, success={"default": _decode}, errors={})


class UndocumentedRequest:
    """What a caller passed to `client.request`. Its repr shows no data."""

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
        self.path = path
        self.json = json
        self.query = query
        self.headers = Secret(headers)
        """They can be credentials."""
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
        path = _checked_path(request.path)
        version = _version(request.version, settings)
        self.rate_limit_key = _checked_key(request.rate_limit_key)
        # The API grants permissions by resource, which is the start of the path.
        resource = path.split("/")[1]
        self._permission = f"{method} /{resource} {self.rate_limit_key} {version}"
        self._request = _prepared(request, method, path, version, settings, options)

    @property
    def permission(self) -> str:
        """See `Call`."""
        return self._permission

    @property
    def span_name(self) -> str:
        """See `Call`. Its path has no template."""
        return self.method

    def reader(self) -> ResponseReader[Any]:
        """See `Call`."""
        contract = OperationContract({**_ENTRY, "name": self.name, "method": self.method}, {})
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
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise ArgumentError(f"method must be one of {', '.join(METHODS)}", argument="method")
    return method.upper()


def _checked_path(path: object) -> str:
    """The path, which stays below that of the base URL.

    Raises:
        ArgumentError: it does not, or is no path. The message does not show it.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise _path_error(
            "must start with one /: it is added to the client's base_url, and has no host"
        )
    plain_path = str.__str__(path)
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


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        raise ArgumentError(
            "rate_limit_key must be a text: the id by which the API counts requests",
            argument="rate_limit_key",
        )
    plain_key = str.__str__(key)
    if has_lone_surrogate(plain_key):
        raise ArgumentError(
            "rate_limit_key must be a text without half of a surrogate pair",
            argument="rate_limit_key",
        )
    return plain_key


def _version(version: object, settings: Settings) -> str:
    """The API version to send; empty if the API has no such header."""
    try:
        check_version(version)
    except ConfigurationError as error:
        raise ArgumentError(str(error), argument="version") from None
    if isinstance(version, str):
        return str.__str__(version)
    header = contract_value("version_header")
    if header is None:
        return ""
    if settings.version is not None:
        return settings.version
    default: str = header["default"]
    return default


def _prepared(
    request: UndocumentedRequest,
    method: str,
    path: str,
    version: str,
    settings: Settings,
    options: RequestOptions | None,
) -> PreparedRequest:
    """The request of a call, without its token.

    Raises:
        ArgumentError: a part of it is invalid, or clashes with the options.
    """
    arguments: dict[str, Any] = {"method": method, "url": path, "headers": {}}
    header = contract_value("version_header")
    if version and header is not None:
        arguments["headers"][header["name"]] = version
    headers = _checked("headers", request.headers.reveal(), checked_headers)
    query = _checked("query", request.query, checked_query)
    if options is not None:
        lower_names = {name.lower() for name in headers}
        reject_repeated([name.lower() for name in options.headers], lower_names, "headers")
        reject_repeated(options.query, query, "query")
        headers = {**headers, **options.headers}
        query = {**query, **options.query}
    if query:
        arguments["params"] = query
    _add_body(arguments, request, options)
    try:
        return settings.requests.prepare(method, arguments, headers)
    except (TypeError, ValueError, RecursionError, InvalidURL) as error:
        problem = request_problem(error)
    # Outside of the handler: exceptions of Python can have the whole body as an attribute.
    raise ArgumentError(f"the arguments make no request: {problem}", argument="arguments")


def _checked(argument: str, value: object, check: Callable[[str, object], Checked]) -> Checked:
    """The result of the check of an option, for an argument of the call."""
    try:
        return check(argument, value)
    except ConfigurationError as error:
        raise ArgumentError(str(error), argument=argument) from None


def _add_body(
    arguments: dict[str, Any], request: UndocumentedRequest, options: RequestOptions | None
) -> None:
    """Add the JSON body to the arguments for `httpx.Request`, if there is one."""
    properties: Mapping[str, Any] = {}
    if options is not None:
        properties = options.body
    if isinstance(request.json, Unset) and not properties:
        return
    data = _json_argument(request.json)
    if properties:
        reject_repeated(properties, object_properties(data), "body")
        data = {**object_properties(data), **properties}
    arguments["json"] = data
    arguments["headers"]["Content-Type"] = "application/json"


def _json_argument(value: object) -> object:
    """The JSON data of the argument `json`; an empty object without it."""
    if isinstance(value, Unset):
        return {}
    try:
        return json_data(value)
    except Exception as error:  # a mapping or a model of the caller can raise anything
        problem = json_problem(error)
    raise ArgumentError(f"json must be data that JSON can hold ({problem})", argument="json")
