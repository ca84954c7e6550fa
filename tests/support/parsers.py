"""The parsers of responses, by name, so that tests can run with each of them."""

from __future__ import annotations

import os

import pytest
from leadconnector._runtime.http.h11_parser import H11Parser
from leadconnector._runtime.http.httptools_parser import HttptoolsParser, find_httptools
from leadconnector._runtime.http.response_parser import ResponseParser

PARSERS = ("h11", "httptools")
"""The names of the parsers."""


def require(name: str) -> type[ResponseParser]:
    """The class of a parser.

    Without httptools, the test is skipped. In CI, which installs it, the test fails.
    """
    if name == "h11":
        return H11Parser
    if find_httptools() is not None:
        return HttptoolsParser
    message = "httptools is not installed"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
