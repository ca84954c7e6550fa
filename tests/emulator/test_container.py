"""The Dockerfile names files, options and a health check that work. Docker itself is not needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from leadconnector_emulator import Emulator, Server
from leadconnector_emulator.cli import main

from tests.support.paths import ROOT

FOLDER = ROOT / "tools" / "leadconnector_emulator"
DOCKERFILE = FOLDER / "Dockerfile"
SECONDS = 60
"""The timeout of a program: a bound, so that no test hangs."""


def instructions() -> list[tuple[str, str]]:
    """The instructions with their arguments, in their order."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    pairs: list[tuple[str, str]] = []
    for line in lines.splitlines():
        if line.strip():
            name, _, arguments = line.partition(" ")
            pairs.append((name, re.sub(r" +", " ", arguments)))
    return pairs


def arguments_of(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


def command_of(arguments: str) -> list[str]:
    """The words of a command in the form of a JSON list, which needs no shell."""
    command: list[str] = json.loads(arguments[arguments.index("[") :])
    return command


def test_the_base_is_one_exact_version() -> None:
    bases = [arguments.partition(" ")[0] for arguments in arguments_of("FROM")]

    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases[0])


def test_the_emulator_runs_as_a_user_with_a_number_other_than_root() -> None:
    (user,) = arguments_of("USER")

    assert int(user) > 0
    names = [name for name, _ in instructions()]
    assert names.index("USER") > len(names) - names[::-1].index("RUN") - 1


def test_the_wheel_builds_from_the_files_that_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for arguments in arguments_of("COPY"):
        if arguments.startswith("--from"):
            continue
        origin, destination = arguments.split(" ")
        target = source / destination
        if (ROOT / origin).is_dir():
            shutil.copytree(ROOT / origin, target, symlinks=True)
        else:
            target.mkdir(parents=True)
            shutil.copy(ROOT / origin, target)
    project = source / "tools" / "leadconnector_emulator"

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=project,
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert (
            archive.read("leadconnector_emulator/openapi.yaml")
            == (ROOT / "spec" / "openapi.yaml").read_bytes()
        )
    assert "leadconnector_emulator/Dockerfile" not in names


def test_what_is_installed_has_the_program_and_the_extra() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (entry_point,) = arguments_of("ENTRYPOINT")
    installation = arguments_of("RUN")[0]

    assert Path(command_of(entry_point)[0]).name in project["scripts"]
    assert "/tools/leadconnector_emulator[" in installation


def test_what_is_installed_has_every_extra_of_an_option() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"\[([\w,]+)\]", arguments_of("RUN")[0])

    assert set(extras.split(",")) == set(project["optional-dependencies"])


def test_the_options_of_the_program_exist(capsys: pytest.CaptureFixture[str]) -> None:
    (entry_point,) = arguments_of("ENTRYPOINT")
    program, *options = command_of(entry_point)

    # `--version` ends the program after the options before it were parsed.
    with pytest.raises(SystemExit) as raised:
        main([*options, "--version"])

    assert program.endswith("leadconnector-emulator")
    assert raised.value.code == 0
    assert "leadconnector-emulator" in capsys.readouterr().out


def test_the_health_check_succeeds_only_while_the_emulator_runs() -> None:
    (health_check,) = arguments_of("HEALTHCHECK")
    (port,) = arguments_of("EXPOSE")
    (entry_point,) = arguments_of("ENTRYPOINT")
    assert port in command_of(entry_point)

    def check(url: str) -> int:
        _, *arguments = command_of(health_check)
        code = arguments[-1].replace(f"http://127.0.0.1:{port}", url)
        assert url in code
        command = [sys.executable, *arguments[:-1], code]
        result = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        return result.returncode

    with Server(Emulator()) as server:
        assert check(server.url) == 0
    assert check(server.url) == 1
