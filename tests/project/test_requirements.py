"""The lock files in requirements/, and their agreement with the pyproject.toml files."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project.dist import PROJECTS

from tests.support.paths import ROOT

LOCKED = re.compile(
    r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([0-9][0-9a-z.+!]*)"  # the name, its extras, the version
    r"(?: ; ([^#@]+?))?((?: +--hash=sha256:[0-9a-f]{64})+)"  # the marker, the hashes
)


@dataclass(frozen=True)
class LockedRequirement:
    """One requirement of a lock file."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def lock_file(name: str) -> list[LockedRequirement]:
    """The requirements of a lock file. Fails if it has a line of any other form."""
    requirements: list[LockedRequirement] = []
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    for line in text.replace("\\\n", "").splitlines():
        match = LOCKED.fullmatch(line)
        assert match, f"{name}: {line}"
        hashes = frozenset(match[4].split())
        requirements.append(LockedRequirement(match[1], match[2], match[3] or "", hashes))
    assert requirements
    return requirements


def pyproject(folder: str = ".") -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))


def requirements_of(name: str) -> list[str]:
    """The requirements of a distribution with all of its extras."""
    project = pyproject(PROJECTS[name])["project"]
    declared: list[str] = [*project["dependencies"]]
    for requirements in project.get("optional-dependencies", {}).values():
        declared += requirements
    return declared


@pytest.mark.parametrize("name", ["demo.txt", "dev.txt", "lowest.txt"])
def test_every_requirement_has_a_version_and_hashes_and_no_address(name: str) -> None:
    for requirement in lock_file(name):
        assert requirement.hashes
    assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["demo.txt", "dev.txt", "lowest.txt"])
def test_no_requirement_occurs_twice_for_one_environment(name: str) -> None:
    keys = [(requirement.name, requirement.marker) for requirement in lock_file(name)]
    assert len(keys) == len(set(keys))


def test_the_demo_installs_the_versions_that_development_tests() -> None:
    demo, development = (
        {(locked.name, locked.version, locked.hashes) for locked in lock_file(name)}
        for name in ("demo.txt", "dev.txt")
    )
    assert demo < development


@pytest.mark.parametrize(
    ("name", "group", "distributions"),
    [
        ("demo.txt", "demo", ["leadconnector-emulator"]),
        ("dev.txt", "dev", list(PROJECTS)),
    ],
)
def test_the_lock_file_satisfies_pyproject(name: str, group: str, distributions: list[str]) -> None:
    versions = {requirement.name: requirement.version for requirement in lock_file(name)}
    project = pyproject()
    declared: list[str] = [*project["project"]["dependencies"]]
    for distribution in distributions:
        declared += requirements_of(distribution)
    # The group also has an item that is a table: it includes another group.
    declared += [item for item in project["dependency-groups"][group] if isinstance(item, str)]
    for requirement in map(Requirement, declared):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True)


def test_the_tools_that_decide_the_generated_bytes_have_an_exact_version() -> None:
    versions = {requirement.name: requirement.version for requirement in lock_file("demo.txt")}
    pins = {
        requirement.name: str(requirement.specifier)
        for requirement in map(Requirement, pyproject()["dependency-groups"]["demo"])
    }
    assert pins == {name: f"=={versions[name]}" for name in ("openapi-python-client", "ruff")}


def test_the_client_requires_three_distributions_at_run_time() -> None:
    names = [Requirement(text).name for text in pyproject()["project"]["dependencies"]]
    assert sorted(names) == ["attrs", "httpx", "sniffio"]


def test_the_lowest_versions_are_the_lower_bounds_in_pyproject() -> None:
    versions = {requirement.name: requirement.version for requirement in lock_file("lowest.txt")}
    declared = [text for name in PROJECTS for text in requirements_of(name)]

    for requirement in map(Requirement, declared):
        [bound] = [part.version for part in requirement.specifier if part.operator == ">="]
        # `23.1` is also `23.1.0`.
        assert Version(versions[canonicalize_name(requirement.name)]) == Version(bound)


def test_what_the_build_needs_is_installed_for_development() -> None:
    names = {requirement.name for requirement in lock_file("dev.txt")}
    for folder in PROJECTS.values():
        for requirement in map(Requirement, pyproject(folder)["build-system"]["requires"]):
            assert canonicalize_name(requirement.name) in names
