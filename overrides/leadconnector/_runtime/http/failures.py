"""What the error of a transport means, and the exception that it becomes."""

import re
import ssl
from collections.abc import Sequence
from inspect import CO_VARARGS
from types import CodeType, FrameType
from typing import Literal, cast

import httpx

from ...errors import APIConnectionError, APITimeoutError, LeadConnectorError
from ..frames import chained_errors, clear_frames, traceback_entries
from ..secrets import REDACTED, Secret, redact
from .outgoing import OutgoingRequest

Failure = Literal["never sent", "lost", "invalid request"]
"""What is known about a failed request; see `APIConnectionError.failure`."""

# Errors of known transports, by the package and the name of their base class. The names are looked
# up in the bases of an error, so that no transport is imported. `OSError` covers the others, such
# as requests, and the sockets of asyncio.
_TRANSPORT_ERRORS = frozenset(
    {
        ("aiohttp", "ClientError"),
        ("anyio", "BrokenResourceError"),
        ("anyio", "ClosedResourceError"),
        ("anyio", "DelimiterNotFound"),
        ("anyio", "EndOfStream"),
        ("anyio", "IncompleteRead"),
        ("asyncio", "IncompleteReadError"),
        # A future of asyncio raises it if a connection is lost while a transport such as aiohttp
        # sets its result.
        ("asyncio", "InvalidStateError"),
        ("asyncio", "LimitOverrunError"),
        ("curl_cffi", "CurlError"),
        ("h11", "ProtocolError"),
        ("h2", "H2Error"),
        # http.client
        ("http", "HTTPException"),
        ("httpcore", "ConnectionNotAvailable"),
        ("httpcore", "NetworkError"),
        ("httpcore", "ProtocolError"),
        ("httpcore", "ProxyError"),
        ("httpcore", "TimeoutException"),
        ("httpcore", "UnsupportedProtocol"),
        ("httpx", "CookieConflict"),
        ("httpx", "HTTPError"),
        ("httpx", "InvalidURL"),
        ("httpx", "StreamError"),
        ("pycurl", "error"),
        ("pyreqwest", "DecodeError"),
        ("pyreqwest", "RedirectError"),
        ("pyreqwest", "TransportError"),
        ("trio", "BrokenResourceError"),
        ("trio", "ClosedResourceError"),
        ("urllib3", "HTTPError"),
        # Of a transport that decompresses by itself.
        ("zlib", "error"),
    }
)

# asyncio's texts for a connection of a loop that is closed, or of another one.
_OTHER_EVENT_LOOP = re.compile(
    r"Event loop is closed|.* is bound to a different event loop", re.DOTALL
)

# Why OpenSSL or the server ends a handshake: the two do not match, or one does not accept the
# certificate. A repetition cannot change that. The names are those of `ssl.SSLError.reason`.
_FINAL_TLS_REASONS = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "HTTP_REQUEST",
        "NO_CIPHERS_AVAILABLE",
        "NO_PROTOCOLS_AVAILABLE",
        "NO_SHARED_CIPHER",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_UNRECOGNIZED_NAME",
        "UNKNOWN_PROTOCOL",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)

# Texts by which pyreqwest reports an untrusted certificate and a proxy's 407. The two have no class
# of their own.
_RUSTLS_CERTIFICATE_ERROR = "invalid peer certificate"
_REQWEST_PROXY_ERROR = "proxy authorization required"

# How the text of a proxy's error starts in httpcore and aiohttp: with the status of the CONNECT.
_PROXY_STATUS = re.compile(r"([1-5]\d\d)\b")

# Parts of the texts for a rejected SOCKS login, by httpcore and by `tunnels`.
_SOCKS_AUTHENTICATION = re.compile(
    "Invalid username/password|but got|another way of authentication"
)

_TEMPORARY_PROXY_STATUS_CODES = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a proxy that are retried: the same as those of the API, without Cloudflare's."""

# The start of quoted bytes in the text of an exception.
_QUOTED_BYTES = re.compile(r"[:\s]*\bb(?:ytearray|['\"])")

# The user and password of a URL, such as that of a proxy. A password with a slash is no valid URL,
# but texts can quote it all the same.
_USER_INFORMATION = re.compile(r"(?<=://)\S*@")

# A header with credentials, as the errors of aiohttp quote those of a proxy.
_CREDENTIALS = re.compile(r"(?<=uthorization)\W+(?:Basic|Bearer)\s+\S+")


class ConnectTimeout(httpx.ConnectTimeout):
    """There was no connection in time. The default transports raise it before they send anything.

    Other transports raise the class of httpx also for a connection that they lost.
    """


def is_transport_failure(error: Exception) -> bool:
    """Whether an error of a transport means a failed request, by the class of the error.

    All others are raised to the caller unchanged: our own exceptions, mistakes in the code of a
    custom transport, and interruptions of the call, such as the time limit of a task queue.
    """
    if isinstance(error, LeadConnectorError):
        return False
    if is_interruption(error):
        return False
    if isinstance(error, OSError):
        return True
    return _is_of_known_transport(error) or _is_of_other_event_loop(error)


def decisive_error(error: Exception, ambient_error: BaseException | None = None) -> Exception:
    """The error that says what happened: an interruption behind an error, or the error itself.

    A transport can turn an interruption into an error of its own: httpcore does so with each
    `TimeoutError`, also that of a signal handler.

    Args:
        error: the error of a transport.
        ambient_error: the error that the caller was already handling; see `chained_errors`.
    """
    for cause in chained_errors(error, ambient_error):
        if isinstance(cause, Exception) and is_interruption(cause):
            return cause
    return error


def is_caused_by_interruption(error: Exception) -> bool:
    """Whether an interruption is behind an error of the default transports; see `decisive_error`.

    For example the `OSError` of a signal handler. Nothing must be sent again after it.
    """
    return decisive_error(error) is not error


def is_interruption(error: Exception) -> bool:
    """Whether something outside of the transport raised an error, to interrupt the call."""
    if any(_is_signal_handler(entry.tb_frame) for entry in traceback_entries(error)):
        return True
    # A timeout that the caller's code defines, for example to raise it in another thread. Sockets
    # and asyncio raise `TimeoutError` itself.
    is_subclass = isinstance(error, TimeoutError) and type(error) is not TimeoutError
    return is_subclass and not _is_of_known_transport(error)


def _is_signal_handler(frame: FrameType) -> bool:
    """Whether a frame has another frame as an argument, as Python calls signal handlers.

    Trace and profile functions get a frame, too. Their exceptions are also no failures of the
    transport.
    """
    return any(_contains_frame(frame.f_locals.get(name)) for name in _arguments_of(frame.f_code))


def _arguments_of(code: CodeType) -> tuple[str, ...]:
    count = code.co_argcount
    if code.co_flags & CO_VARARGS:
        # The name of `*arguments` follows those of the keyword-only arguments.
        count += code.co_kwonlyargcount + 1
    return code.co_varnames[:count]


def _contains_frame(value: object) -> bool:
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return any(isinstance(item, FrameType) for item in items)
    return isinstance(value, FrameType)


def _is_of_known_transport(error: Exception) -> bool:
    for base in type(error).__mro__:
        package = base.__module__.partition(".")[0]
        if (package, base.__name__) in _TRANSPORT_ERRORS:
            return True
    return False


def _is_of_other_event_loop(error: Exception) -> bool:
    """Whether an event loop raised an error for a connection that it cannot use."""
    return type(error) is RuntimeError and _OTHER_EVENT_LOOP.fullmatch(str(error)) is not None


def failure_of(error: Exception, ambient_error: BaseException | None = None) -> Failure:
    """Classify the error of a request without a whole response.

    The arguments are those of `decisive_error`.
    """
    # A certificate is checked before anything is sent.
    if _has_certificate_error(error, ambient_error):
        return "never sent"
    if isinstance(error, httpx.ConnectTimeout):
        return _failure_while_connecting(error)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return "invalid request"
    # A proxy rejects the CONNECT. Nothing else is sent before it accepts that.
    if isinstance(error, httpx.ConnectError | httpx.PoolTimeout | httpx.ProxyError):
        return "never sent"
    return "lost"


def _failure_while_connecting(error: httpx.ConnectTimeout) -> Failure:
    # The transports of httpx raise it only while they connect. Others, such as that of aiohttp,
    # also raise it for a connection that they lost.
    is_of_httpcore = type(error.__cause__).__module__.partition(".")[0] == "httpcore"
    if is_of_httpcore or isinstance(error, ConnectTimeout):
        return "never sent"
    return "lost"


def is_final(error: Exception, ambient_error: BaseException | None = None) -> bool:
    """Whether the next request would certainly fail in the same way.

    The arguments are those of `decisive_error`.
    """
    if _has_certificate_error(error, ambient_error):
        return True
    if isinstance(error, httpx.ProxyError):
        return _is_final_proxy_error(str(error))
    for cause in chained_errors(error, ambient_error):
        if _quotes(cause, _REQWEST_PROXY_ERROR):
            return True
        # An error that OpenSSL did not create has no reason.
        reason = getattr(cause, "reason", None)
        if isinstance(cause, ssl.SSLError) and reason in _FINAL_TLS_REASONS:
            return True
    return False


def _is_final_proxy_error(text: str) -> bool:
    status = _PROXY_STATUS.match(text)
    if status is None:
        return _SOCKS_AUTHENTICATION.search(text) is not None
    return int(status[1]) not in _TEMPORARY_PROXY_STATUS_CODES


def _has_certificate_error(error: Exception, ambient_error: BaseException | None) -> bool:
    """Whether the server's certificate is not trusted."""
    for cause in chained_errors(error, ambient_error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        if _quotes(cause, _RUSTLS_CERTIFICATE_ERROR):
            return True
    return False


def _quotes(error: BaseException, text: str) -> bool:
    """Whether an error of pyreqwest has a text in its details."""
    is_of_pyreqwest = type(error).__module__.partition(".")[0] == "pyreqwest"
    return is_of_pyreqwest and text in repr(error)


def connection_error(
    error: Exception,
    operation: str,
    request: OutgoingRequest,
    secrets: Sequence[Secret[str]],
    attempts: int,
    ambient_error: BaseException | None = None,
) -> APIConnectionError:
    """The exception of a request without a whole response.

    The transport's error is its cause if it is one of httpx or of the operating system, and quotes
    no private data. An error of another library can refer to its request, with the token.

    Args:
        error: an error for which `is_transport_failure` is true. Private data is removed from it,
            and from the frames of this package and of httpx's own transports.
        operation: names the operation in the message.
        request: the request that failed.
        secrets: the credentials of the request. A custom transport can quote them.
        attempts: how many requests were sent, with this one.
        ambient_error: the error that the caller was already handling; see `chained_errors`.
    """
    reason = _remove_private_data(error, request, ambient_error)
    is_timeout = _is_timeout(error, ambient_error)
    error_class = APITimeoutError if is_timeout else APIConnectionError
    exception = error_class(
        _redact(_message(error, operation, reason, is_timeout=is_timeout), secrets),
        attempts=attempts,
        failure=failure_of(error, ambient_error),
    )
    if _may_be_cause(error, secrets):
        exception.__cause__ = error
    return exception


def _remove_private_data(
    error: Exception, request: OutgoingRequest, ambient_error: BaseException | None
) -> str:
    """Remove the variables, the request and quoted bytes from an error.

    Returns:
        The text of the error without quoted bytes.
    """
    clear_frames(error, ambient_error)
    if isinstance(error, httpx.RequestError):
        # The original request contains the token and the body.
        error.request = request.for_errors()
    return remove_quoted_bytes(error)


def _is_timeout(error: Exception, ambient_error: BaseException | None) -> bool:
    """Whether an error means that the time was up."""
    # The transport of aiohttp raises a timeout for an untrusted certificate.
    if _has_certificate_error(error, ambient_error):
        return False
    return isinstance(error, httpx.TimeoutException | TimeoutError)


def _message(error: Exception, operation: str, reason: str, *, is_timeout: bool) -> str:
    message = f"{operation}: no complete response"
    if is_timeout:
        message += " in time"
    details = type(error).__name__
    if reason:
        details += f": {reason}"
    return f"{message} ({details})"


def _may_be_cause(error: Exception, secrets: Sequence[Secret[str]]) -> bool:
    """Whether an error is shown as the cause.

    Only errors of httpx and of the operating system, whose private data is known and was removed.
    An error of another library can refer to its own request, with the token, in any attribute.
    """
    if not isinstance(error, httpx.RequestError | OSError):
        return False
    return not _quotes_private_data(error, secrets)


def remove_quoted_bytes(error: Exception) -> str:
    """Remove the bytes that an error quotes from the error, with the errors behind it.

    h11 quotes a response that is not HTTP. The bytes can be anything: a token, a conversation.

    Returns:
        The text of the error without them.
    """
    text = str(error)
    reason = _QUOTED_BYTES.split(text)[0]
    if reason != text:
        error.args = (reason,)
        error.__cause__ = None
        error.__context__ = None
    return reason


def _quotes_private_data(error: BaseException, secrets: Sequence[Secret[str]]) -> bool:
    """Whether a text of an error, or of an error behind it, contains a credential."""
    return any(_redact(text, secrets) != text for text in _texts(error))


def _texts(error: BaseException) -> list[str]:
    texts: list[str] = []
    for chained in chained_errors(error):
        texts += [str(chained), repr(chained), *getattr(chained, "__notes__", ())]
    return texts


def _redact(text: str, secrets: Sequence[Secret[str]]) -> str:
    """Replace the credentials of a request, and those in a URL."""
    text = redact(text, *secrets)
    text = _CREDENTIALS.sub(f" {REDACTED}", text)
    return _USER_INFORMATION.sub(f"{REDACTED}@", text)
