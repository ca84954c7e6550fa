"""Runs one scenario with one client in a process of its own, and collects the evidence."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

from .clients import LEADCONNECTOR, ROOT, Client
from .observation import Evidence, Observation
from .outcomes import Judgement
from .scenario import CONVERSATION_ID, LOCATION_ID, TOKEN, Scenario, success
from .server import Script, in_order, serving

HARNESS = "benchmarks.compare.adapters.run"

START_UP = 120.0
"""Seconds for the start of Python and the imports, on a busy machine."""


def run_scenario(client: Client, scenario: Scenario) -> Evidence:
    """Run a scenario against servers of its own."""
    with (
        serving(other_script()) as other_server,
        serving(scenario.script(), other_server.url) as server,
    ):
        observation = observe(client, scenario, server.url)
        # Copies: the threads of the servers can still add requests.
        return Evidence(observation, tuple(server.requests), tuple(other_server.requests))


def other_script() -> Script:
    """The other server accepts everything. It makes no update that the first one should make."""
    return in_order(success())


def judge(client: Client, scenario: Scenario, evidence: Evidence) -> Judgement:
    """The outcome of a scenario."""
    expectation = replace(scenario.expectation, packages=client.packages)
    return scenario.judge(evidence, expectation)


def observe(client: Client, scenario: Scenario, url: str) -> Observation:
    """Run the harness, and read its observation."""
    try:
        result = subprocess.run(
            [str(client.python), "-m", HARNESS],
            cwd=ROOT,
            env=environment_of(client),
            input=task(client, scenario, url),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=scenario.limit + START_UP,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # The harness ends itself. It cannot if the client blocks all threads.
        return Observation("hung", seconds=scenario.limit)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"status {result.returncode}"]
        return Observation("crashed", text=lines[-1])
    return Observation.from_json(result.stdout.splitlines()[-1])


def task(client: Client, scenario: Scenario, url: str) -> str:
    """The input of the harness."""
    usual_arguments = {"conversation_id": CONVERSATION_ID, "location_id": LOCATION_ID}
    usual_settings = {"base_url": url, "token": TOKEN}
    return json.dumps(
        {
            "adapter": client.adapter,
            "mode": scenario.mode,
            "settings": {**usual_settings, **scenario.settings},
            "arguments": {**usual_arguments, **scenario.arguments},
            "calls": scenario.calls,
            "workers": scenario.workers,
            "limit": scenario.limit,
        }
    )


def environment_of(client: Client) -> dict[str, str]:
    """The environment variables of a client's process.

    Options, tokens and proxies of the user must not influence the comparison.
    """
    paths = [str(ROOT), str(client.import_path)]
    if client.key == LEADCONNECTOR:
        paths.append(str(ROOT / "overrides"))
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(paths),
    }
