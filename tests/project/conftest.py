"""Fixtures of tests that build or install the distribution. They are slow, so they are shared."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.support.environments import build, copy_checkout, install


@pytest.fixture(scope="session")
def wheel_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, from which the wheel is built. No test changes it."""
    return copy_checkout(tmp_path_factory.mktemp("packaging") / "checkout")


@pytest.fixture(scope="session")
def wheel(wheel_source: Path) -> Path:
    """The built wheel."""
    return build(wheel_source, wheel_source.parent / "wheel")


@pytest.fixture(scope="session")
def python_with(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns the Python of an environment with the wheel, one extra (or none: "") and pytest."""

    @cache
    def python_with_extra(extra: str) -> Path:
        folder = tmp_path_factory.mktemp("environment") / (extra or "base")
        return install(folder, wheel, extra, also=["pytest"])

    return python_with_extra
