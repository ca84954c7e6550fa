"""Compressed responses are decompressed with a bound, or raise a documented exception."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import APIDecodingError, ServerError
from leadconnector._runtime.http import MAXIMUM_BODY, Limits, RawResponse, send
from leadconnector_emulator import Emulator, Fault, Server

from tests.support.calling import (
    SUCCESS_BODY,
    Caller,
    returning,
    succeeding,
)

BODY = json.dumps(SUCCESS_BODY).encode()

REQUEST = httpx.Request("PUT", "https://example.com")


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in chunks, as a socket delivers it."""

    def __init__(self, body: bytes, size: int) -> None:
        self.parts = [body[at : at + size] for at in range(0, len(body), size)]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


def transport_with(
    body: bytes, encoding: str, status: int = 200, size: int = 7
) -> httpx.MockTransport:
    headers = {
        "Content-Encoding": encoding,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    return returning(status, headers=headers, stream=Chunks(body, size))


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_compressed_response_is_decompressed(call: Caller, encoding: str, size: int) -> None:
    assert call(transport_with(gzip.compress(BODY), encoding, size=size)).to_dict() == SUCCESS_BODY


def test_a_response_without_compression_is_read(call: Caller) -> None:
    assert call(transport_with(BODY, "identity")).to_dict() == SUCCESS_BODY
    assert call(transport_with(BODY, "")).to_dict() == SUCCESS_BODY


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip at all", "gzip"),
        (gzip.compress(BODY)[:-9], "gzip"),
        (gzip.compress(BODY)[:12], "gzip"),
        (gzip.compress(BODY) + b"rest", "gzip"),
        (gzip.compress(BODY[:20]) + gzip.compress(BODY[20:]), "gzip"),
        (gzip.compress(BODY)[:-8] + b"\0" * 8, "gzip"),
        (BODY, "br"),
        (zlib.compress(BODY), "deflate, gzip"),
    ],
)
def test_a_success_that_cannot_be_decompressed_is_a_decoding_error(
    call: Caller, body: bytes, encoding: str
) -> None:
    with pytest.raises(APIDecodingError) as caught:
        call(transport_with(body, encoding))

    assert caught.value.path == "$"
    assert caught.value.status_code == 200


def test_an_error_that_cannot_be_decompressed_keeps_its_status(call: Caller) -> None:
    with pytest.raises(ServerError) as caught:
        call(transport_with(b"no gzip at all", "gzip", status=501))

    assert caught.value.status_code == 501


def test_a_gzip_bomb_is_a_decoding_error(call: Caller) -> None:
    emulator = Emulator(tokens=["secret"])
    emulator.set_faults(Fault(gzip_bomb=50 * 1024 * 1024))
    with Server(emulator) as server, pytest.raises(APIDecodingError, match="larger"):
        call(None, options={"base_url": server.url, "token": "secret"})


def send_and_measure_memory(transport: httpx.BaseTransport) -> tuple[RawResponse, int]:
    """A response, and the peak of memory in bytes while it was response."""
    tracemalloc.start()
    try:
        return send(transport, REQUEST, Limits()), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [1000, 10_000_000])
def test_a_gzip_bomb_uses_bounded_memory(size: int) -> None:
    bomb = Chunks(gzip.compress(b" " * (200 * 1024 * 1024)), size)
    transport = returning(200, headers={"Content-Encoding": "gzip"}, stream=bomb)
    response, peak = send_and_measure_memory(transport)

    assert "larger" in response.body_problem
    assert peak < 5 * MAXIMUM_BODY


@pytest.mark.parametrize(
    ("encoding", "problem"), [("gzip", "not valid gzip"), ("identity", "larger"), ("br", "larger")]
)
def test_an_endless_body_is_read_up_to_the_limit(encoding: str, problem: str) -> None:
    endless = (bytes(100_000) for _ in itertools.count())
    transport = returning(200, headers={"Content-Encoding": encoding}, content=endless)
    response, peak = send_and_measure_memory(transport)

    assert problem in response.body_problem
    assert peak < 5 * MAXIMUM_BODY


@given(
    st.binary(max_size=300),
    st.sampled_from(["gzip", "identity", "br"]),
    st.integers(1, 50),
    st.booleans(),
)
def test_any_compressed_bytes_result_in_a_body_or_a_problem(
    data: bytes, encoding: str, size: int, cut: bool
) -> None:
    packed = gzip.compress(data)[: len(data) or None] if cut else data
    response = send(transport_with(packed, encoding, size=size), REQUEST, Limits())

    assert response.body_problem or encoding != "identity" or response.body == packed


def test_requests_accept_only_the_supported_encoding(call: Caller) -> None:
    requests: list[httpx.Request] = []

    call(succeeding(requests))

    assert requests[0].headers["accept-encoding"] == "gzip"
