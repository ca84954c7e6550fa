"""The public names are imported on their first use, and behave as if they had been imported."""

from __future__ import annotations

import ast
import inspect
import pickle
import pydoc
import subprocess
import sys
from unittest import mock

import leadconnector
import pytest

from tests.support.paths import ROOT

INIT = ROOT / "overrides" / "leadconnector" / "__init__.py"
NAMES: list[str] = vars(leadconnector)["__all__"]
NAMES_BY_MODULE: dict[str, list[str]] = vars(leadconnector)["_NAMES_BY_MODULE"]
PUBLIC_MODULES: frozenset[str] = vars(leadconnector)["_PUBLIC_MODULES"]


def run(code: str, text: str = "") -> list[str]:
    """Run Python code with a text as input in a new process. Returns the words of its output."""
    program = f"import sys; sys.path.insert(0, {str(INIT.parents[1])!r})\n{code}"
    command = [sys.executable, "-I", "-W", "error", "-c", program]
    output = subprocess.run(
        command, check=True, capture_output=True, input=text, encoding="utf-8", timeout=60
    )
    return output.stdout.split()


def names_for_type_checkers() -> dict[str, list[str]]:
    """The names that the module imports for type checkers, by module."""
    names: dict[str, list[str]] = {}
    for statement in ast.parse(INIT.read_text(encoding="utf-8")).body:
        if not isinstance(statement, ast.If) or ast.unparse(statement.test) != "TYPE_CHECKING":
            continue
        for line in statement.body:
            assert isinstance(line, ast.ImportFrom)
            names[f".{line.module}"] = [alias.name for alias in line.names]
    return names


def test_run_time_and_type_checkers_import_the_same_names_from_the_same_modules() -> None:
    assert names_for_type_checkers() == NAMES_BY_MODULE
    imported = [name for names in NAMES_BY_MODULE.values() for name in names]
    assert sorted([*imported, "__version__"]) == NAMES


def test_importing_the_package_imports_no_dependency_and_no_part_of_it() -> None:
    code = "import leadconnector; print(*sys.modules)"
    modules = set(run(code))
    internal = {name for name in modules if name.startswith("leadconnector")}
    assert internal == {"leadconnector", "leadconnector._version"}
    assert modules.isdisjoint({"httpx", "attrs", "attr", "h11", "sniffio"})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_an_attribute_and_its_second_use_is_the_same_object(name: str) -> None:
    assert getattr(leadconnector, name) is getattr(leadconnector, name)
    assert name in vars(leadconnector)


def test_a_name_of_each_module_is_importable_first() -> None:
    code = """
for name in sys.stdin.read().split():
    for module in [m for m in sys.modules if m.startswith("leadconnector")]:
        del sys.modules[module]
    exec(f"from leadconnector import {name}; print(name)")
"""
    names = [names[0] for names in NAMES_BY_MODULE.values()]
    assert run(code, " ".join(names)) == names


def test_a_star_import_imports_every_name() -> None:
    assert (
        run(
            "from leadconnector import *; print(*sorted(set(globals()) & set(NAMES)))".replace(
                "NAMES", repr(NAMES)
            )
        )
        == NAMES
    )


def test_the_public_modules_are_attributes_of_the_package() -> None:
    paths = [*INIT.parent.iterdir()]
    modules = {path.stem for path in paths if path.suffix == ".py" or path.is_dir()}
    assert {name for name in modules if not name.startswith("_")} == PUBLIC_MODULES
    code = """
for name in sys.stdin.read().split():
    for module in [m for m in sys.modules if m.startswith("leadconnector")]:
        del sys.modules[module]
    import leadconnector
    print(getattr(leadconnector, name).__name__)
"""
    names = sorted(PUBLIC_MODULES)
    assert run(code, " ".join(names)) == [f"leadconnector.{name}" for name in names]


def test_dir_lists_names_before_their_first_use() -> None:
    listed = set(run("import leadconnector; print(*dir(leadconnector))"))
    assert set(NAMES) | PUBLIC_MODULES <= listed


def test_an_unknown_name_is_an_attribute_error_and_an_import_error() -> None:
    assert not hasattr(leadconnector, "Missing")
    assert not hasattr(leadconnector, "_missing")
    with pytest.raises(AttributeError, match="module 'leadconnector' has no attribute 'Missing'"):
        getattr(leadconnector, "Miss" + "ing")
    with pytest.raises(ImportError, match="cannot import name 'Missing' from 'leadconnector'"):
        exec("from leadconnector import Missing")


def test_a_missing_dependency_is_reported_on_the_first_use_of_a_name() -> None:
    code = """
sys.modules["httpx"] = None
import leadconnector
try:
    leadconnector.LeadConnector
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run(code) == ["httpx"]


def test_many_threads_import_a_name_at_once() -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import leadconnector
barrier = Barrier(8)
def use(number):
    barrier.wait()
    return leadconnector.AsyncLeadConnector
with ThreadPoolExecutor(8) as pool:
    print(len(set(pool.map(use, range(8)))))
"""
    assert run(code) == ["1"]


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_pickled_by_name(name: str) -> None:
    value: object = getattr(leadconnector, name)
    assert pickle.loads(pickle.dumps(value)) is value or not inspect.isclass(value)


def test_mocks_and_help_see_every_name() -> None:
    double = mock.create_autospec(leadconnector)
    assert all(hasattr(double, name) for name in NAMES)
    text = pydoc.plain(pydoc.render_doc(leadconnector))
    for name in ("class LeadConnector", "class RedisRateLimit", "class NotFoundError"):
        assert name in text


def test_a_name_is_replaceable_and_is_restored() -> None:
    original = leadconnector.LeadConnector
    with mock.patch("leadconnector.LeadConnector") as double:
        assert leadconnector.LeadConnector is double
    assert leadconnector.LeadConnector is original
