"""`make compare`: its page is in step with its results, and its rules decide correctly.

No other client runs here. This project's client runs in the harness, as it does in the comparison.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from benchmarks.compare import build, figures, outcomes
from benchmarks.compare.__main__ import TYPE_ROWS, select_rows
from benchmarks.compare.adapters import run
from benchmarks.compare.clients import HERE, LEADCONNECTOR, Client, all_clients
from benchmarks.compare.observation import Evidence, Observation, ReceivedRequest
from benchmarks.compare.outcomes import Expectation, Judgement, Outcome
from benchmarks.compare.page import render, table_line
from benchmarks.compare.results import PAGE, read_results, write_results
from benchmarks.compare.running import judge, run_scenario
from benchmarks.compare.scenario import TOKEN, Scenario
from benchmarks.compare.scenarios import groups
from benchmarks.compare.server import RepeatedChunk, Reply, in_order, rate_limited, serving
from tests.support.paths import ROOT

SCENARIOS = {scenario.key: scenario for group in groups() for scenario in group.scenarios}
CLIENTS = {client.key: client for client in all_clients()}
PACKAGES = frozenset({"peer"})

KINDS = ["returned", "raised", "connected", "burst", "cancelled", "hung", "crashed", "not offered"]


def request(
    target: str = "/conversations/x", at: float = 0.0, *, is_applied: bool = False, **headers: str
) -> ReceivedRequest:
    return ReceivedRequest("PUT", target, headers, b"", at, is_applied)


UPDATE = request(is_applied=True)


class TestPage:
    def test_the_page_is_in_step_with_the_results(self) -> None:
        assert PAGE.read_text(encoding="utf-8") == render(read_results()), (
            'run: make compare ARGS="--page"'
        )

    def test_the_results_have_a_cell_for_each_row_and_client(self) -> None:
        results = read_results()
        assert [row.key for row in results.rows] == [*SCENARIOS, *TYPE_ROWS]
        columns = {client.key for client in results.clients}
        assert columns == set(CLIENTS)
        assert all(row.cells.keys() == columns for row in results.rows)

    def test_the_results_agree_with_the_scenarios(self) -> None:
        for group, measured in zip(groups(), read_results().groups, strict=False):
            assert (measured.title, measured.introduction) == (group.title, group.introduction)
            for scenario, row in zip(group.scenarios, measured.rows, strict=True):
                assert row.title == scenario.title
                assert row.wanted == sorted(outcome.name for outcome in scenario.wanted)
                for cell in row.cells.values():
                    assert cell.is_wanted == (Outcome[cell.outcome] in scenario.wanted)

    def test_the_results_name_the_locked_versions(self) -> None:
        for client in read_results().clients:
            if client.key != LEADCONNECTOR:
                lock_file = CLIENTS[client.key].lock_file.read_text(encoding="utf-8")
                assert f"{client.distribution}=={client.version} " in lock_file

    def test_results_are_read_as_they_were_written(self, tmp_path: Path) -> None:
        results = read_results()
        write_results(results, tmp_path / "results.json")
        assert read_results(tmp_path / "results.json") == results

    def test_the_page_states_why_a_client_is_left_out(self) -> None:
        results = replace(read_results(), left_out={"A client": "it needs Java"})
        assert "**A client** is left out of this run: it needs Java" in render(results)

    def test_a_row_in_which_this_client_is_worse_is_listed(self) -> None:
        results = read_results()
        row = results.rows[0]
        cell = replace(row.cells[LEADCONNECTOR], outcome="UPDATE_LOST", is_wanted=False)
        row.cells[LEADCONNECTOR] = cell
        assert f"\n- {row.title}: ✗ update lost, success returned" in render(results)

    def test_a_bar_does_not_start_a_cell(self) -> None:
        assert table_line(["`a | b`", "c"]) == "| `a \\| b` | c |"

    def test_the_page_has_only_complete_tables(self) -> None:
        for block in PAGE.read_text(encoding="utf-8").split("\n\n"):
            lines = [line for line in block.splitlines() if line.startswith("|")]
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
            assert len(counts) <= 1, block


class TestClients:
    @pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS.keys())
    def test_its_lock_file_has_hashes_and_no_address(self, client: Client) -> None:
        text = client.lock_file.read_text(encoding="utf-8")
        assert "://" not in text
        requirements = re.split(r"\n(?=\S)", text.replace("\\\n", ""))
        assert all("--hash=sha256:" in requirement for requirement in requirements if requirement)

    @pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS.keys())
    def test_its_lock_file_satisfies_its_requirements(self, client: Client) -> None:
        text = client.lock_file.read_text(encoding="utf-8")
        locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.MULTILINE))
        source = client.lock_file.with_suffix(".in").read_text(encoding="utf-8")
        for requirement in map(Requirement, source.split()):
            assert requirement.specifier.contains(locked[requirement.name])

    @pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS.keys())
    def test_its_adapter_and_its_caller_exist(self, client: Client) -> None:
        assert (HERE / "adapters" / f"{client.adapter}.py").exists()
        compile(client.caller, "caller.py", "exec")

    def test_without_java_the_message_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(build.BuildError, match="apt install default-jre-headless"):
            build.build(CLIENTS["openapi-generator"])

    def test_a_failed_command_is_reported_with_its_output(self) -> None:
        program = "import sys; print('no space left'); sys.exit(3)"
        with pytest.raises(build.BuildError, match="ended with status 3: no space left"):
            build.run([sys.executable, "-c", program])

    def test_another_version_is_built_again(self, tmp_path: Path) -> None:
        client = CLIENTS["fern"]
        changed = replace(client, generator=(*client.generator, "--layout", "flat"))
        assert build.fingerprint(client) == build.fingerprint(client)
        assert build.fingerprint(client) != build.fingerprint(changed)

    def test_the_scenarios_have_different_keys(self) -> None:
        assert len(SCENARIOS) == sum(len(group.scenarios) for group in groups())
        assert len(SCENARIOS) > 50

    def test_rows_can_be_selected(self) -> None:
        selected = [select_rows(group, ["503", "html"]) for group in groups()]
        keys = [scenario.key for group in selected for scenario in group.scenarios]
        assert keys == ["html", "503"]


@pytest.fixture
def this_client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """This project's client, in the environment of the tests."""
    monkeypatch.setattr(Client, "python", Path(sys.executable))
    return CLIENTS[LEADCONNECTOR]


class TestHarness:
    @pytest.mark.parametrize(
        ("key", "outcome", "requests"),
        [
            ("missing", Outcome.REPORTED_RESULT, 1),
            ("503", Outcome.TYPED_RESULT, 2),
            ("redirect-to-get", Outcome.OWN_ERROR, 1),
            ("two-lines", Outcome.REJECTED, 0),
            ("attributes", Outcome.TOKEN_HIDDEN, 1),
        ],
    )
    def test_it_observes_this_client(
        self, this_client: Client, key: str, outcome: Outcome, requests: int
    ) -> None:
        evidence = run_scenario(this_client, SCENARIOS[key])
        assert judge(this_client, SCENARIOS[key], evidence).outcome is outcome
        assert len(evidence.requests) == requests

    def test_a_client_that_does_not_end_is_ended(self, this_client: Client) -> None:
        endless = replace(SCENARIOS["default-timeout"], limit=0.1)
        observation = run_scenario(this_client, endless).observation
        assert (observation.kind, observation.seconds) == ("hung", 0.1)

    def test_a_process_that_ends_early_is_reported(self, this_client: Client) -> None:
        broken = replace(this_client, adapter="no_such_adapter")
        observation = run_scenario(broken, SCENARIOS["success"]).observation
        assert observation.kind == "crashed"
        assert "no_such_adapter" in observation.text

    def test_it_finds_a_token_in_the_request_of_an_exception(self) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        error = httpx.ReadError("reset")
        error.request = httpx.Request("PUT", "https://example.com", headers=headers)
        assert run.token_places(error, TOKEN) == ["attributes"]

    def test_it_finds_a_token_in_a_cause_and_in_slots(self) -> None:
        class Slotted:
            __slots__ = ("value",)

            def __init__(self) -> None:
                self.value = [TOKEN.encode()]

        inner = ValueError("inner")
        inner.__dict__["data"] = {"key": Slotted()}
        error = RuntimeError("outer")
        error.__cause__ = inner
        assert run.token_places(error, TOKEN) == ["attributes"]

    def test_it_finds_a_token_in_local_variables(self) -> None:
        variables = {"secret": TOKEN, "zero": 0}
        with pytest.raises(ZeroDivisionError) as caught:
            exec("1 / zero", variables)
        assert run.token_places(caught.value, TOKEN) == ["local variables"]

    def test_it_finds_no_token_where_there_is_none(self) -> None:
        error = RuntimeError("failed", {"status": 500})
        assert run.token_places(error, TOKEN) == []

    def test_an_exception_that_needs_arguments_does_not_survive_pickling(self) -> None:
        class NeedsStatusError(Exception):
            def __init__(self, *, status: int) -> None:
                super().__init__(f"status {status}")

        assert not run.survives_pickling(NeedsStatusError(status=500))
        assert run.survives_pickling(ValueError("status 500"))


class TestRules:
    @pytest.mark.parametrize(
        ("observation", "requests", "expectation", "outcome"),
        [
            (Observation("returned", is_model=True), [UPDATE], {}, Outcome.TYPED_RESULT),
            (Observation("returned", "dict", data={}), [UPDATE], {}, Outcome.PLAIN_RESULT),
            (Observation("returned", "NoneType"), [UPDATE], {}, Outcome.NOTHING),
            (Observation("returned", is_model=True), [request()], {}, Outcome.UPDATE_LOST),
            (
                Observation("returned", is_model=True, data={"a": {"b": 1}}),
                [UPDATE],
                {"data": {"a.b": True}},
                Outcome.WRONG_RESULT,
            ),
            (
                Observation("returned", is_model=True, data={"a": "false"}, warnings=1),
                [UPDATE],
                {"data": {"a": False}, "deviates": True},
                Outcome.REPORTED_RESULT,
            ),
            (
                Observation("returned", "BadRequest", is_model=True),
                [request()],
                {"is_success": False},
                Outcome.ERROR_RETURNED,
            ),
            (
                Observation("raised", classes=("peer.errors.Bad", "builtins.Exception")),
                [request()],
                {},
                Outcome.OWN_ERROR,
            ),
            (
                Observation("raised", classes=("httpx.ReadError",)),
                [request()],
                {},
                Outcome.FOREIGN_ERROR,
            ),
            (
                Observation("raised", classes=("peer.Bad",), status=500),
                [request()],
                {"status": 503},
                Outcome.STATUS_LOST,
            ),
            (
                Observation("raised", classes=("peer.Bad",), status=401, text="Error 401"),
                [request()],
                {"status": 401, "reason": "expired"},
                Outcome.REASON_LOST,
            ),
            (
                Observation("returned", is_model=True),
                [request("/conversations/"), UPDATE],
                {"target": "/conversations/x"},
                Outcome.OTHER_URL,
            ),
            (
                Observation("returned", is_model=True),
                [request(at=0.0), request(at=1.0, is_applied=True)],
                {"wait": 3.0},
                Outcome.RETRIED_EARLY,
            ),
            (
                Observation("raised", classes=("peer.Bad",)),
                [request()] * 11,
                {},
                Outcome.RETRIED_OFTEN,
            ),
            (Observation("returned", memory=2**28), [UPDATE], {}, Outcome.MEMORY),
            (Observation("hung", seconds=60.0), [request()], {}, Outcome.HANGS),
            (Observation("crashed", text="SystemExit"), [], {}, Outcome.CRASHED),
            (Observation("not offered"), [], {}, Outcome.NOT_OFFERED),
        ],
    )
    def test_a_call_has_an_outcome(
        self,
        observation: Observation,
        requests: list[ReceivedRequest],
        expectation: dict[str, Any],
        outcome: Outcome,
    ) -> None:
        evidence = Evidence(observation, tuple(requests))
        expected = Expectation(packages=PACKAGES, **expectation)
        assert outcomes.judge_call(evidence, expected).outcome is outcome

    def test_a_followed_redirect_names_what_it_carried(self) -> None:
        foreign = request(authorization="Bearer token")
        evidence = Evidence(Observation("returned"), (UPDATE,), (foreign,))
        judgement = outcomes.judge_call(evidence, Expectation())
        assert judgement == Judgement(Outcome.OTHER_SERVER, "with token")

    @pytest.mark.parametrize(
        ("observation", "requests", "outcome"),
        [
            (Observation("raised", classes=("builtins.ValueError",)), [], Outcome.REJECTED),
            (Observation("raised", classes=("peer.Bad",)), [], Outcome.REJECTED),
            (Observation("raised", classes=("h11.ProtocolError",)), [], Outcome.FOREIGN_ERROR),
            (Observation("raised", classes=("peer.Bad",)), [UPDATE], Outcome.ACCEPTED),
            (Observation("returned"), [request("/conversations/")], Outcome.OTHER_URL),
            (Observation("connected"), [], Outcome.UNCHECKED),
            (Observation("raised", token_places=("text",)), [], Outcome.TOKEN_SHOWN),
        ],
    )
    def test_an_invalid_argument_has_an_outcome(
        self, observation: Observation, requests: list[ReceivedRequest], outcome: Outcome
    ) -> None:
        evidence = Evidence(observation, tuple(requests))
        expected = Expectation(packages=PACKAGES, target="/conversations/x")
        assert outcomes.judge_argument(evidence, expected).outcome is outcome

    @pytest.mark.parametrize(
        ("errors", "outcome"),
        [({}, Outcome.ALL_UPDATED), ({"RateLimitError": 2}, Outcome.SOME_FAILED)],
    )
    def test_a_burst_has_an_outcome(self, errors: dict[str, int], outcome: Outcome) -> None:
        evidence = Evidence(Observation("burst", succeeded=8, errors=errors), (UPDATE, request()))
        judgement = outcomes.judge_burst(evidence, Expectation(rate_limit=2, rate_window=1.0))
        assert judgement.outcome is outcome
        assert judgement.detail.endswith("1 rejected requests")

    def test_a_burst_below_the_rate_limit_is_not_judged(self) -> None:
        requests = tuple(request(at=moment, is_applied=True) for moment in (0.0, 1.0, 2.5))
        evidence = Evidence(Observation("burst", succeeded=3), requests)
        judgement = outcomes.judge_burst(evidence, Expectation(rate_limit=3, rate_window=2.0))
        assert judgement == Judgement(Outcome.TOO_SLOW, "2 in 2 s")

    @given(
        st.sampled_from([scenario.judge for scenario in SCENARIOS.values()]),
        st.sampled_from(KINDS),
        st.sampled_from(["", "NoneType", "dict"]),
        st.lists(st.sampled_from(["peer.Bad", "builtins.ValueError", "httpx.ReadError"])),
        st.lists(st.sampled_from(["text", "attributes", "repr"])),
        st.lists(st.builds(request, at=st.floats(0, 9), is_applied=st.booleans()), max_size=12),
    )
    def test_any_evidence_has_an_outcome(
        self,
        rule: Callable[[Evidence, Expectation], Judgement],
        kind: Any,
        type_name: str,
        classes: list[str],
        places: list[str],
        requests: list[ReceivedRequest],
    ) -> None:
        observation = Observation(
            kind, type_name, classes=tuple(classes), token_places=tuple(places)
        )
        evidence = Evidence(observation, tuple(requests), ())
        assert rule(evidence, Expectation(packages=PACKAGES)).outcome in Outcome

    @pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
    def test_a_client_that_hangs_or_crashes_is_never_good(self, scenario: Scenario) -> None:
        for kind in ("hung", "crashed", "not offered"):
            judgement = scenario.judge(Evidence(Observation(kind)), Expectation())
            assert judgement.outcome not in scenario.wanted


class TestTypes:
    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            ('a.py:5: note: Revealed type is "m.v.Response"', (Outcome.TYPED, "`Response`")),
            (
                'a.py:5: note: Revealed type is "m.v.Response | m.v.Bad | None"',
                (Outcome.UNION, "3 types"),
            ),
            (
                'a.py:5: note: Revealed type is "Union[m.Response, None]"',
                (Outcome.UNION, "2 types"),
            ),
            ('a.py:5: note: Revealed type is "Any"', (Outcome.UNTYPED, "`Any`")),
            (
                "a.py:1: error: Skipping analyzing\na.py:2: error: No",
                (Outcome.TYPE_ERRORS, "2 errors"),
            ),
            ("", (Outcome.UNTYPED, "`Any`")),
        ],
    )
    def test_the_output_of_mypy_has_an_outcome(
        self, output: str, expected: tuple[Outcome, str]
    ) -> None:
        assert figures.judge_mypy(output) == Judgement(*expected)


class TestServer:
    def test_it_sends_the_replies_in_order_and_records_the_requests(self) -> None:
        first = Reply([b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"])
        second = Reply([b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n{}"], is_applied=True)
        with serving(in_order(first, second)) as server, httpx.Client() as client:
            statuses = [client.put(f"{server.url}/a", content=b"b").status_code for _ in range(3)]
            client.get(server.url)
        assert statuses == [503, 200, 200]
        assert [item.is_applied for item in server.requests] == [False, True, True, False]
        assert (server.requests[0].target, server.requests[0].body) == ("/a", b"b")

    def test_a_reset_is_a_connection_error(self) -> None:
        with (
            serving(in_order(Reply([], end="reset"))) as server,
            pytest.raises(httpx.ReadError),
        ):
            httpx.put(server.url)

    def test_a_large_reply_can_be_sent_again(self) -> None:
        chunks = RepeatedChunk(b"head", b"chunk", 2)
        assert list(chunks) == list(chunks) == [b"head", b"chunk", b"chunk"]

    def test_the_rate_limit_counts_only_accepted_requests_of_its_window(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        success = Reply([b"success"])
        rejection = Reply([b"rejection"])
        reply_to = rate_limited(success, rejection, limit=2, seconds=10.0)
        assert [reply_to(number) for number in range(4)] == [success, success, rejection, rejection]
        now = 110.0
        assert reply_to(4) is success


def test_the_results_contain_no_path_of_a_machine() -> None:
    text = (HERE / "results.json").read_text(encoding="utf-8") + PAGE.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
