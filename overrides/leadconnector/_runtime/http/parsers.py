"""Decides which parser reads a response.

- `response_parser`: what both parsers have in common.
- `h11_parser`: the one that is always installed.
- `httptools_parser`: the fast one.
"""

import sys
from functools import cache

from .h11_parser import H11Parser
from .httptools_parser import HttptoolsParser, find_httptools
from .response_parser import ResponseParser

_H11_METHODS = frozenset({"HEAD", "CONNECT"})
"""The form of a response to them depends on the method, which httptools has no way to set."""


def fastest_parser() -> ResponseParser:
    """The fastest parser that is installed."""
    return fastest_class()()


def parser_for(method: str, last_parser: ResponseParser) -> ResponseParser:
    """The parser for the response to the next request of a connection.

    Args:
        method: the method of the request.
        last_parser: the parser of the last response on the same connection. It is used again if
            it is of the right kind.
    """
    parser_class = fastest_class()
    if method in _H11_METHODS or _hides_interruptions():
        parser_class = H11Parser
    if isinstance(last_parser, parser_class):
        return last_parser
    return parser_class()


def _hides_interruptions() -> bool:
    """Whether httptools would lose the exception of a signal handler, such as Ctrl-C.

    An exception that is raised in one of its callbacks becomes the context of its own error. In an
    `except` block, Python replaces this context with the exception that the block handles.
    """
    return sys.exception() is not None


@cache
def fastest_class() -> type[ResponseParser]:
    """The class of the fastest parser that is installed."""
    if find_httptools() is None:
        return H11Parser
    return HttptoolsParser
