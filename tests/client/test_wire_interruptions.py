"""An exception that a signal handler raises at any line reaches the caller, and loses nothing."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from leadconnector import LeadConnector
from leadconnector._runtime import http
from leadconnector._runtime.http.sync_pool import SyncPool

from tests.support.calling import CONVERSATION_ID, LOCATION_ID, TOKEN
from tests.support.switchable import Certificate, Switchable, make_certificate, switchable

HTTP_FOLDER = str(Path(http.__file__).parent)


class Interrupted(BaseException):
    """Like `KeyboardInterrupt`."""


class Interruption:
    """Raises an exception when a line of the connection layer is about to run.

    A trace function gets the frame, as a signal handler does. It can raise at each line.

    Args:
        error: the exception.
        line: after how many lines.
    """

    def __init__(self, error: BaseException, line: int) -> None:
        self.error = error
        self.remaining = line

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """Trace functions of the connection layer only."""
        if not frame.f_code.co_filename.startswith(HTTP_FOLDER):
            return None
        if event == "line":
            self.remaining -= 1
            if self.remaining < 0:
                raise self.error
        return self


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def api(
    request: pytest.FixtureRequest, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Switchable]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    context = certificate.server_context() if request.param == "https" else None
    with switchable(context) as server:
        yield server


def update(client: LeadConnector) -> None:
    client.conversations.update_conversation(CONVERSATION_ID, location_id=LOCATION_ID)


def interrupted_at(client: LeadConnector, interruption: Interruption) -> bool:
    """Make a call. Whether it was interrupted before its end."""
    earlier = sys.gettrace()
    sys.settrace(interruption)
    try:
        update(client)
    except (Interrupted, OSError) as error:
        if error is not interruption.error:
            raise
        return True
    finally:
        sys.settrace(earlier)
    return False


# An interruption between two lines leaves an open socket to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.parametrize("error_class", [Interrupted, OSError, TimeoutError])
@pytest.mark.parametrize("is_warm", [False, True], ids=["new", "used before"])
def test_an_interruption_at_any_line_reaches_the_caller_and_loses_no_place(
    api: Switchable, is_warm: bool, error_class: type[BaseException]
) -> None:
    line = 0
    was_interrupted = True
    while was_interrupted:
        with LeadConnector(
            token=TOKEN, base_url=api.url, rate_limit=None, retries=0, timeout=10.0
        ) as client:
            if is_warm:
                update(client)
            requests = api.requests
            was_interrupted = interrupted_at(client, Interruption(error_class("no"), line))
            assert api.requests <= requests + 1
            pool = client._connections.transport()
            assert isinstance(pool, SyncPool)
            gc.collect(0)
            assert pool._permits.semaphore.in_use == 0
            assert pool._connections.active_count == 0
            update(client)
        # A prime: each run interrupts other lines of the same function.
        line += 11
    assert line > 200
