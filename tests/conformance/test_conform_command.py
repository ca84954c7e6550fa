"""`make conform` prints the faults of a client, and its exit status says whether there are some."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

from benchmarks.long import conform
from benchmarks.long.conformance.wire import SentRequest
from tests.conformance.clients import SPECS


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["conform", *arguments])
    return conform.main()


def test_a_client_without_faults_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(SPECS / "planted.yaml"), "--only", "orderId") == 0
    [summary] = capsys.readouterr().out.splitlines()
    assert summary.startswith("1 operations, ")
    assert summary.endswith(" fields, 0 faults")


def test_each_fault_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = SentRequest.of

    def change(request: httpx.Request) -> SentRequest:
        sent = read(request)
        return SentRequest("TRACE", sent.path, sent.query, sent.headers, sent.content)

    monkeypatch.setattr(SentRequest, "of", change)
    assert run(monkeypatch, str(SPECS / "planted.yaml"), "--only", "orderId") == 1
    [fault, summary] = capsys.readouterr().out.splitlines()
    assert fault == "PUT /orders/{orderId}: request method: expected PUT, got TRACE"
    assert summary.endswith(", 1 faults")


def test_a_document_that_is_rejected_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    text = (SPECS / "planted.yaml").read_text(encoding="utf-8")
    spec.write_text(text.replace("schemas/Missing", "schemas/Nowhere"), encoding="utf-8")
    assert run(monkeypatch, str(spec)) == 2
    assert "points to nothing" in capsys.readouterr().err
