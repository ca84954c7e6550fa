"""Fixtures of tests that build or install the distributions. They are slow, so they are shared."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from project.dist import PROJECTS, unpack

from tests.support.environments import add_wheel, build, copy_checkout, create_environment


@pytest.fixture(scope="session")
def wheel_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, from which the wheels are built. No test changes it."""
    return copy_checkout(tmp_path_factory.mktemp("packaging") / "checkout")


@pytest.fixture(scope="session")
def wheels(wheel_source: Path) -> dict[str, Path]:
    """The built wheels, by the name of the distribution."""
    return {
        name: build(wheel_source / folder, wheel_source.parent / "wheels" / name)
        for name, folder in PROJECTS.items()
    }


@pytest.fixture(scope="session")
def wheel(wheels: dict[str, Path]) -> Path:
    """The built wheel of the client."""
    return wheels["leadconnector"]


@pytest.fixture(scope="session")
def sdists(wheel_source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The built sdists, by the name of the distribution."""
    folder = tmp_path_factory.mktemp("sdists")
    return {
        name: build(wheel_source / project, folder / name, "sdist")
        for name, project in PROJECTS.items()
    }


@pytest.fixture(scope="session")
def trees(sdists: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of the unpacked sdists. No test changes them."""
    folder = tmp_path_factory.mktemp("trees")
    unpacked_trees: dict[str, Path] = {}
    for name, sdist in sdists.items():
        unpacked_trees[name] = unpack(sdist, folder / name)
    return unpacked_trees


@pytest.fixture(scope="session")
def python_with(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Returns the Python of an environment with pytest and some of the distributions.

    Its arguments are requirements such as `leadconnector-emulator[page]`.
    """

    @cache
    def python_with_distributions(*requirements: str) -> Path:
        environment = tmp_path_factory.mktemp("environment") / "installed"
        python = create_environment(environment, ["pytest"])
        for requirement in map(Requirement, requirements):
            add_wheel(environment, wheels[requirement.name], "".join(requirement.extras))
        return python

    return python_with_distributions
