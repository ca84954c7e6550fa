"""Checks that the outcome of a call keeps the promises of the documentation.

Each check returns or yields the broken promises as short texts.
"""

from __future__ import annotations

import math
import pickle
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType

import httpx
from leadconnector import (
    APIConnectionError,
    APIDecodingError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    DriftError,
    LeadConnectorError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedStatusError,
    UnprocessableEntityError,
    errors,
)
from leadconnector.models import UpdateConversationResponse

from .cases import Case, Outcome, safe_repr
from .constants import PRIVATE_MESSAGE, TOKEN
from .replies import Reply

LONGEST_MESSAGE = 700
"""Characters. A message is one line in a log."""

ERROR_CLASSES: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}
"""The exceptions of statuses with a class of their own, as the README lists them."""


def broken_promises(case: Case, outcome: Outcome, *, thorough: bool = True) -> list[str]:
    """The promises that the outcome of a call breaks.

    Args:
        case: the call.
        outcome: its outcome.
        thorough: whether to search tracebacks for the token, which takes longest.
    """
    value = outcome.value
    reply = last_reply(case, outcome)
    if isinstance(value, UpdateConversationResponse):
        # Must not raise.
        value.to_dict()
        if not 200 <= reply.status < 300:
            return ["a model though the status is no success"]
        return []
    if not isinstance(value, LeadConnectorError):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        return [f"outside the tree: {name}: {value}"]
    problems = [*problems_of_error(value, thorough), *problems_of_class(value, outcome)]
    if isinstance(value, APIConnectionError):
        # With a deadline, a call may end before the response arrives.
        may_expire = "deadline" in case.options
        if not may_expire and not has_broken_connection(value, reply):
            problems.append("no response, though one came")
    if isinstance(value, APIStatusError | APIDecodingError):
        if value.status_code != reply.status:
            problems.append("another status than the last response's")
        if [info.status_code for info in outcome.seen] != [reply.status]:
            problems.append("on_response received another status")
    return problems


def last_reply(case: Case, outcome: Outcome) -> Reply:
    """The reply to the last request."""
    index = min(len(outcome.requests), len(case.replies)) - 1
    return case.replies[index]


def has_broken_connection(error: APIConnectionError, reply: Reply) -> bool:
    """Whether a reply explains a connection error."""
    if reply.failure:
        return True
    # A success without a length, with incomplete JSON, counts as a truncated body.
    return reply.status < 300 and "ended within the body" in str(error)


def problems_of_error(error: LeadConnectorError, thorough: bool) -> Iterator[str]:
    """The promises of every exception that one breaks."""
    if getattr(errors, type(error).__name__, None) is not type(error):
        yield "its class is not public"
    if not survives_pickling(error):
        yield "a pickled copy differs from it"
    if any(TOKEN in text for text in texts_of(error, thorough)):
        yield "it shows the token"
    message = str(error)
    if PRIVATE_MESSAGE in message:
        yield "its message shows the content of a conversation"
    if len(message) > LONGEST_MESSAGE or not message.isprintable():
        yield "its message is no short line"
    if has_credential_in_cause(error):
        yield "its cause contains the token"


def survives_pickling(error: LeadConnectorError) -> bool:
    """Whether a pickled copy of an exception has its class, message and attributes."""
    copy: LeadConnectorError = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    # Exceptions cross process boundaries as pickles, for example in a process pool.
    if type(copy) is not type(error):
        return False
    if str(copy) != str(error):
        return False
    return vars(copy).keys() == vars(error).keys()


def texts_of(error: LeadConnectorError, thorough: bool) -> list[str]:
    """All texts of an exception that may appear in a log or an error report."""
    cause = error.__cause__
    texts = [
        str(error),
        repr(error),
        repr(vars(error)),
        repr(pickle.dumps(error)),
        repr(cause),
        repr(getattr(cause, "args", ())),
    ]
    if thorough:
        texts.append("".join(traceback.format_exception(error)))
        texts += local_variables(error)
    return texts


def local_variables(error: BaseException) -> Iterator[str]:
    """The local variables of the client's frames, as an error reporter shows them."""
    frame: TracebackType | None = error.__traceback__
    # The frames of the checks themselves contain the token.
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__", ""))
        if module.startswith("leadconnector."):
            yield from map(safe_repr, frame.tb_frame.f_locals.values())
        frame = frame.tb_next


def has_credential_in_cause(error: LeadConnectorError) -> bool:
    """Whether the cause of an exception has a request with the token."""
    if error.__cause__ is None:
        return False
    request = vars(error.__cause__).get("_request")
    return isinstance(request, httpx.Request) and "authorization" in request.headers


def problems_of_class(error: LeadConnectorError, outcome: Outcome) -> Iterator[str]:
    """The promises of an exception's class that one breaks."""
    attempts = len(outcome.requests)
    if isinstance(error, APIStatusError):
        yield from problems_of_response_error(error, attempts)
        yield from problems_of_status_error(error)
    elif isinstance(error, APIDecodingError):
        yield from problems_of_response_error(error, attempts)
        yield from problems_of_decoding_error(error)
    elif isinstance(error, APIConnectionError) and error.attempts != attempts:
        yield "other attempts than requests"


def problems_of_response_error(
    error: APIStatusError | APIDecodingError, attempts: int
) -> Iterator[str]:
    """The promises of an exception about a response."""
    if error.attempts != attempts:
        yield "other attempts than requests"
    ascii_names = [name for name in error.headers if name.isascii()]
    if not all(name.upper() in error.headers for name in ascii_names):
        yield "headers that depend on case"
    request_id: object = vars(error)["request_id"]
    if request_id is not None and type(request_id) is not str:
        yield "a request id that is no text"


def problems_of_status_error(error: APIStatusError) -> Iterator[str]:
    """The promises of an exception about an unsuccessful status."""
    if not isinstance(error, class_of_status(error.status_code)):
        yield "not the class of its status"
    messages: list[object] = [*error.messages]
    if not all(type(message) is str for message in messages):
        yield "messages are no texts"
    if "body" not in vars(error):
        yield "no body"
    retry_after = error.retry_after if isinstance(error, RateLimitError) else None
    if retry_after is not None and not 0 <= retry_after < math.inf:
        yield "a wait that is not a number of seconds"


def class_of_status(status: int) -> type[APIStatusError]:
    """The exception that the documentation promises for an unsuccessful status."""
    if status >= 500:
        return ServerError
    return ERROR_CLASSES.get(status, UnexpectedStatusError)


def problems_of_decoding_error(error: APIDecodingError) -> Iterator[str]:
    """The promises of an exception about a body that deviates from the spec."""
    if not error.path.startswith("$"):
        yield "no path"
    if isinstance(error, DriftError) and not error.findings:
        yield "no findings"
    if not 200 <= error.status_code < 300:
        yield "no success"
    if "body" not in vars(error):
        yield "no body"
