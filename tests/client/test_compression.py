"""Compressed responses are decompressed with a bound, or raise a documented exception."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leadconnector import APIDecodingError, APIStatusError, DriftError, Finding, ServerError
from leadconnector._runtime.http import (
    MAXIMUM_BODY_BYTES,
    Limits,
    RawResponse,
    form_request,
    send,
)
from leadconnector._runtime.http.body import decode
from leadconnector.models import UpdateConversationResponse
from leadconnector_emulator import Emulator, Fault, Server

from tests.support.calling import (
    SUCCESS_BODY,
    Caller,
    returning,
    succeeding,
)
from tests.support.compression import gzipped

BODY = json.dumps(SUCCESS_BODY).encode()

REQUEST = form_request("https://api.example", {}, {})


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
    assert call(transport_with(gzipped(BODY), encoding, size=size)).to_dict() == SUCCESS_BODY


def test_a_response_without_compression_is_read(call: Caller) -> None:
    assert call(transport_with(BODY, "identity")).to_dict() == SUCCESS_BODY
    assert call(transport_with(BODY, "")).to_dict() == SUCCESS_BODY


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip at all", "gzip"),
        (gzipped(BODY)[:-20], "gzip"),
        (gzipped(BODY)[:12], "gzip"),
        (gzipped(BODY) + gzipped(BODY)[:-3], "gzip"),
        (gzipped(b"") * 10_001, "gzip"),
        (gzipped(BODY)[:-8] + bytes(8), "gzip"),
        (gzipped(BODY), ", ".join(["gzip"] * 6)),
        (b"no deflate at all", "deflate"),
        (BODY[:-1], "gzip"),
        (BODY[:-1], "deflate"),
        (BODY + b" " * MAXIMUM_BODY_BYTES, "gzip"),
        (gzipped(BODY + b" " * MAXIMUM_BODY_BYTES), "gzip"),
    ],
)
def test_a_success_that_cannot_be_decompressed_is_a_decoding_error(
    call: Caller, body: bytes, encoding: str
) -> None:
    with pytest.raises(APIDecodingError) as caught:
        call(transport_with(body, encoding))

    assert caught.value.path == "$"
    assert caught.value.status_code == 200


def badly_encoded(body: bytes) -> list[tuple[bytes, str]]:
    """A body in encodings that its header does not describe, with the header."""
    return [
        (body, "gzip"),
        (body, "deflate"),
        (body, "br"),
        (body, "ZSTD"),
        (body, "gzip, gzip"),
        (body, ", ".join(["gzip"] * 6)),
        (gzipped(body), "gzip, gzip"),
        (gzipped(body), "deflate, gzip"),
        (gzipped(body), "br, gzip"),
        (zlib.compress(body), "deflate, gzip"),
        (zlib.compress(body), "gzip, deflate"),
        (gzipped(body)[:-8], "gzip"),
        (gzipped(body)[:-4], "gzip"),
        (gzipped(body) + b"rest", "gzip"),
        (gzipped(body) + b"\0rest", "gzip"),
        (zlib.compress(body)[:-4], "deflate"),
    ]


@pytest.mark.parametrize(("body", "encoding"), badly_encoded(BODY))
@pytest.mark.parametrize("status", [200, 201])
def test_a_complete_success_with_a_wrong_encoding_is_a_result_and_a_finding(
    call: Caller, body: bytes, encoding: str, status: int
) -> None:
    findings: list[Finding] = []
    transport = transport_with(body, encoding, status)

    result = call(transport, options={"on_drift": findings.append})

    assert result.to_dict() == SUCCESS_BODY
    assert "invalid-encoding" in {finding.kind for finding in findings}


@pytest.mark.parametrize(("body", "encoding"), badly_encoded(BODY)[:3])
def test_strict_raises_for_a_wrong_encoding_and_keeps_the_result(
    call: Caller, body: bytes, encoding: str
) -> None:
    with pytest.raises(DriftError) as caught:
        call(transport_with(body, encoding), options={"strict": True})

    assert isinstance(caught.value.result, UpdateConversationResponse)
    assert caught.value.body == SUCCESS_BODY


ERROR_BODY = {"statusCode": 400, "message": "Location is not active"}


@pytest.mark.parametrize(("body", "encoding"), badly_encoded(json.dumps(ERROR_BODY).encode()))
@pytest.mark.parametrize("status", [400, 404, 503])
def test_an_error_with_a_wrong_encoding_has_its_explanation_and_its_body(
    call: Caller, body: bytes, encoding: str, status: int
) -> None:
    with pytest.raises(APIStatusError) as caught:
        call(transport_with(body, encoding, status), options={"retries": 0})

    assert caught.value.messages == ["Location is not active"]
    assert "Location is not active" in repr(caught.value.body)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_a_page_with_a_wrong_encoding_is_explained(call: Caller, encoding: str) -> None:
    page = b"<h1>Bad gateway at the edge</h1>"

    with pytest.raises(APIStatusError) as caught:
        call(transport_with(page, encoding, 502), options={"retries": 0})

    assert caught.value.messages == ["Bad gateway at the edge"]
    assert caught.value.body == page.decode()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_bytes_are_no_explanation(call: Caller, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(json.dumps(ERROR_BODY).encode())

    with pytest.raises(APIStatusError) as caught:
        call(transport_with(packed, "br", 400), options={"retries": 0})

    assert caught.value.messages == []


def raw_deflate(data: bytes) -> bytes:
    """Deflate data without the header of zlib, as some servers send it."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BODY, "utf-8"),
        (BODY, "UTF8"),
        (BODY, "none"),
        (BODY, "None, identity"),
        (BODY, " "),
        (BODY, ","),
        (BODY, "aws-chunked"),
        (BODY, "7bit"),
        (gzipped(BODY), "gzip, utf-8"),
        (gzipped(BODY), "identity,GZip"),
        (gzipped(BODY), '"gzip"; q=1'),
        (gzipped(gzipped(BODY)), "gzip, gzip"),
        (gzipped(zlib.compress(BODY)), "deflate, gzip"),
        (gzipped(BODY) + b"\0" * 512, "gzip"),
        (zlib.compress(BODY), "deflate"),
        (raw_deflate(BODY), "Deflate"),
        (zlib.compress(BODY), "gzip"),
        (b"".join(gzipped(BODY[at : at + 1]) for at in range(len(BODY))), "gzip"),
    ],
)
def test_an_unusual_encoding_that_can_be_read_is_read(
    call: Caller, body: bytes, encoding: str
) -> None:
    assert call(transport_with(body, encoding)).to_dict() == SUCCESS_BODY


def test_repeated_lines_of_the_header_are_one_list(call: Caller) -> None:
    body = gzipped(zlib.compress(BODY))
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Encoding", "deflate"),
        ("Content-Encoding", "gzip"),
    ]

    transport = returning(200, headers=headers, stream=Chunks(body, 100))
    assert call(transport).to_dict() == SUCCESS_BODY


@given(st.lists(st.binary(max_size=9000), min_size=1, max_size=5), st.integers(0, 9000))
def test_any_members_of_a_gzip_body_are_joined(members: list[bytes], padding: int) -> None:
    packed = b"".join(gzipped(member) for member in members)
    body = decode("gzip", bytearray(packed + bytes(padding)))

    assert not body.problem
    assert body.content == b"".join(members)


@given(st.lists(st.binary(max_size=9000), min_size=1, max_size=3), st.data())
def test_a_gzip_body_that_is_cut_off_within_a_member_has_a_problem(
    members: list[bytes], data: st.DataObject
) -> None:
    packed = [gzipped(member) for member in members]
    missing = data.draw(st.integers(1, len(packed[-1]) - 1))

    assert "cut off" in decode("gzip", bytearray(b"".join(packed)[:-missing])).problem


def test_many_members_of_a_gzip_bomb_are_bounded() -> None:
    bomb = gzipped(b" " * 1_000_000) * 1000

    assert "larger" in decode("gzip", bytearray(bomb)).problem


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
    bomb = Chunks(gzipped(b" " * (200 * 1024 * 1024)), size)
    transport = returning(200, headers={"Content-Encoding": "gzip"}, stream=bomb)
    response, peak = send_and_measure_memory(transport)

    assert "larger" in response.body_problem
    assert peak < 5 * MAXIMUM_BODY_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "identity", "br"])
def test_an_endless_body_is_read_up_to_the_limit(encoding: str) -> None:
    endless = (bytes(100_000) for _ in itertools.count())
    transport = returning(200, headers={"Content-Encoding": encoding}, content=endless)
    response, peak = send_and_measure_memory(transport)

    assert "larger" in response.body_problem
    assert peak < 5 * MAXIMUM_BODY_BYTES


@given(
    st.binary(max_size=300),
    st.sampled_from(["gzip", "identity", "br"]),
    st.integers(1, 50),
    st.booleans(),
)
def test_any_compressed_bytes_result_in_a_body_or_a_problem(
    data: bytes, encoding: str, size: int, cut: bool
) -> None:
    packed = gzipped(data)[: len(data) or None] if cut else data
    response = send(transport_with(packed, encoding, size=size), REQUEST, Limits())

    assert response.body_problem or encoding != "identity" or response.body == packed


def test_requests_accept_only_the_supported_encoding(call: Caller) -> None:
    requests: list[httpx.Request] = []

    call(succeeding(requests))

    assert requests[0].headers["accept-encoding"] == "gzip"
