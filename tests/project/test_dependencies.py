"""Which part of the project may import which, so that each part can be read on its own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = "leadconnector"
PACKAGE_ROOT = ROOT / "overrides" / PACKAGE
TOOLS = sorted(path.name for path in (ROOT / "tools").iterdir() if path.is_dir())

# The fixture that makes a client of the emulator.
MAY_IMPORT_THE_CLIENT = {Path("tools/leadconnector_emulator/pytest_plugin.py")}


def runtime_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below a node, except those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for statement in child.orelse:
                yield statement
                yield from runtime_statements(statement)
            continue
        if isinstance(child, ast.stmt):
            yield child
        yield from runtime_statements(child)


def imported_modules(source: str, module: str) -> set[str]:
    """The absolute names of everything that a module imports.

    Args:
        source: the source of the module.
        module: its absolute name; a package's ends with `.__init__`.

    Returns:
        Modules, and the names imported from them, which can be modules too.
    """
    names: set[str] = set()
    for statement in runtime_statements(ast.parse(source)):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            base = absolute_name(statement, module)
            names.add(base)
            names |= {f"{base}.{alias.name}" for alias in statement.names}
    return names


def absolute_name(statement: ast.ImportFrom, module: str) -> str:
    """The absolute name of the module in `from … import …`."""
    if statement.level == 0:
        return statement.module or ""
    parents = module.split(".")[: -statement.level]
    if statement.module:
        parents.append(statement.module)
    return ".".join(parents)


def module_name(path: Path, root: Path) -> str:
    """The absolute name of a file's module, below the directory that is on the import path."""
    return ".".join(path.relative_to(root).with_suffix("").parts)


def imports_of(path: Path, root: Path) -> set[str]:
    return imported_modules(path.read_text(encoding="utf-8"), module_name(path, root))


def matching(names: set[str], *prefixes: str) -> list[str]:
    """The names that are one of the prefixes or below it."""
    return sorted(
        name
        for name in names
        if any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)
    )


def hand_written_files() -> list[Path]:
    """The files of the client package without the generated ones."""
    return [path for path in PACKAGE_ROOT.rglob("*.py") if "_generated" not in path.parts]


def package_imports(*parts: str) -> dict[str, set[str]]:
    """What each module of a part of the package imports, by the module's name."""
    imports: dict[str, set[str]] = {}
    for path in hand_written_files():
        relative = path.relative_to(PACKAGE_ROOT)
        if relative.with_suffix("").parts[0] in parts:
            imports[str(relative)] = imports_of(path, PACKAGE_ROOT.parent)
    assert imports, "there is no such part"
    return imports


def violations(imports: dict[str, set[str]], *forbidden: str) -> dict[str, list[str]]:
    """The forbidden imports of each module; empty if there are none."""
    found = {name: matching(names, *forbidden) for name, names in imports.items()}
    return {name: names for name, names in found.items() if names}


def parts_of_the_package(*names: str) -> list[str]:
    return [f"{PACKAGE}.{name}" for name in names]


def test_the_runtime_imports_no_part_that_is_specific_to_highlevel() -> None:
    imports = package_imports("_runtime")

    forbidden = parts_of_the_package("client", "auth", "oauth", "rate_limit", "_highlevel")
    assert violations(imports, *forbidden) == {}


def test_the_runtime_imports_only_errors_and_generated_code_of_the_package() -> None:
    allowed = parts_of_the_package("_runtime", "_generated", "errors")
    for name, imported in package_imports("_runtime").items():
        internal = set(matching(imported, PACKAGE)) - {PACKAGE}
        assert internal - set(matching(internal, *allowed)) == set(), name


def test_the_errors_import_nothing_of_the_package() -> None:
    assert violations(package_imports("errors"), PACKAGE) == {}


def test_authentication_and_rate_limits_do_not_import_the_client() -> None:
    imports = package_imports("auth", "oauth", "rate_limit", "_highlevel")

    assert violations(imports, *parts_of_the_package("client")) == {}


def test_token_sources_and_rate_limits_do_not_import_each_other() -> None:
    assert violations(package_imports("rate_limit"), *parts_of_the_package("auth", "oauth")) == {}
    assert violations(package_imports("auth", "oauth"), *parts_of_the_package("rate_limit")) == {}


def test_only_one_part_of_the_package_imports_httpx() -> None:
    importing = {
        str(path.relative_to(PACKAGE_ROOT).parent)
        for path in hand_written_files()
        if matching(imports_of(path, PACKAGE_ROOT.parent), "httpx", "httpcore")
    }

    assert importing == {"_runtime/http"}


def test_the_package_imports_itself_relatively_so_that_a_copy_works() -> None:
    for path in hand_written_files():
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.ImportFrom) and statement.level == 0:
                assert not matching({statement.module or ""}, PACKAGE), path
            if isinstance(statement, ast.Import):
                assert not matching({alias.name for alias in statement.names}, PACKAGE), path


def test_generated_code_imports_neither_hand_written_code_nor_tools() -> None:
    # The generated directory is the subpackage `_generated`.
    allowed = f"{PACKAGE}._generated"
    paths = [*(ROOT / "generated").rglob("*.py")]
    assert paths
    for path in paths:
        name = f"{allowed}.{module_name(path, ROOT / 'generated')}"
        imported = imported_modules(path.read_text(encoding="utf-8"), name)
        outside = set(matching(imported, PACKAGE, *TOOLS)) - set(matching(imported, allowed))
        assert outside == set(), path


THIRD_PARTY = {
    "_runtime": {"h11", "httpx"},
    "rate_limit": set[str](),
    "oauth": set[str](),
}
"""What parts of the package import besides the standard library."""


@pytest.mark.parametrize("part", THIRD_PARTY)
def test_a_part_of_the_package_imports_few_third_party_modules(part: str) -> None:
    imported = {
        name.partition(".")[0] for names in package_imports(part).values() for name in names
    }

    allowed = {*sys.stdlib_module_names, PACKAGE, *THIRD_PARTY[part]}
    assert imported <= allowed


def test_the_command_line_imports_only_the_standard_library_and_the_version() -> None:
    # So a copy verifies itself where the dependencies of the client are not installed.
    parts = ["__init__", "__main__", "_command_line", "_requirements", "_vendoring", "_version"]
    allowed = {*sys.stdlib_module_names, *parts_of_the_package(*parts)}
    for name, imported in package_imports(*parts).items():
        outside = imported - set(matching(imported, *allowed)) - {PACKAGE}
        assert outside == set(), name


def test_the_client_does_not_import_the_command_line() -> None:
    command_line = ("__main__", "_command_line", "_vendoring")
    parts = {path.stem for path in PACKAGE_ROOT.iterdir()} - {*command_line}
    imports = package_imports(*parts)
    assert violations(imports, *parts_of_the_package(*command_line)) == {}


def test_the_emulator_imports_no_other_tool() -> None:
    # The emulator is installed without them.
    for path in (ROOT / "tools" / "leadconnector_emulator").rglob("*.py"):
        others = [tool for tool in TOOLS if tool != "leadconnector_emulator"]
        assert matching(imports_of(path, ROOT / "tools"), *others) == [], path


def test_specdrift_imports_no_other_tool() -> None:
    for path in (ROOT / "tools" / "specdrift").rglob("*.py"):
        others = [tool for tool in TOOLS if tool != "specdrift"]
        assert matching(imports_of(path, ROOT / "tools"), *others) == [], path


DECLARED_MODULES = {
    # cryptography is imported only with the extra `webhooks`.
    "leadconnector_emulator": {"cryptography", "h11", "httpx", "jsonschema_rs", "yaml"},
    # MarkupSafe is a requirement of Jinja, and part of its interface.
    "specdrift": {"httpx", "jinja2", "markupsafe", "yaml"},
}
"""The modules of the requirements in the pyproject.toml of a tool."""

NOT_INSTALLED = {"build_hook.py", "pytest_plugin.py"}
"""The build and pytest run these files."""


@pytest.mark.parametrize("tool", DECLARED_MODULES)
def test_a_distribution_imports_only_what_it_requires(tool: str) -> None:
    imported: set[str] = set()
    for path in (ROOT / "tools" / tool).rglob("*.py"):
        if path.name not in NOT_INSTALLED:
            names = imports_of(path, ROOT / "tools")
            imported |= {name.partition(".")[0] for name in names}

    third_party = imported - sys.stdlib_module_names - {tool}
    assert third_party == DECLARED_MODULES[tool]


def test_tools_do_not_import_the_client() -> None:
    importing = {
        path.relative_to(ROOT)
        for path in (ROOT / "tools").rglob("*.py")
        if matching(imports_of(path, ROOT / "tools"), PACKAGE)
    }

    assert importing <= MAY_IMPORT_THE_CLIENT


@pytest.mark.parametrize("part", ["overrides", "generated", "tools", "examples", "benchmarks"])
def test_nothing_imports_tests(part: str) -> None:
    for path in (ROOT / part).rglob("*.py"):
        assert matching(imports_of(path, ROOT / part), "tests") == [], path


@pytest.mark.parametrize("name", ["install.py", "changes.py", "vendor.py"])
def test_programs_that_run_before_the_installation_need_only_the_standard_library(
    name: str,
) -> None:
    program = ROOT / "tools" / "project" / name
    imported = imports_of(program, ROOT / "tools")

    assert {module.partition(".")[0] for module in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("name", ["push.py", "regenerate.py", "job_files.py"])
def test_the_program_with_the_token_needs_only_the_standard_library(name: str) -> None:
    imported = imports_of(ROOT / "tools" / "project" / name, ROOT / "tools")

    external = {module for module in imported if not module.startswith("project.")}
    assert {module.partition(".")[0] for module in external} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import httpx", {"httpx"}),
        ("from ..client import Client", {"leadconnector.client", "leadconnector.client.Client"}),
        ("from .. import oauth", {"leadconnector", "leadconnector.oauth"}),
        ("def call():\n    import httpx", {"httpx"}),
        ("if TYPE_CHECKING:\n    import httpx", set[str]()),
        ("if TYPE_CHECKING:\n    import attrs\nelse:\n    import httpx", {"httpx"}),
    ],
)
def test_the_reader_of_imports_finds_a_violation(source: str, expected: set[str]) -> None:
    assert imported_modules(source, "leadconnector._runtime.session") == expected


LEFT_OUT_OF_LOWEST = {"test_page.py", "test_conformance.py"}
"""The files that `.ci/run lowest` leaves out, as `.ci/run` says."""

DISTRIBUTIONS = {
    "attr": "attrs",
    "markdown_it": "markdown_it_py",
    "opentelemetry": "opentelemetry_sdk",
    "yaml": "pyyaml",
}
"""Modules that are not called like their distribution."""


def test_the_lock_file_of_the_oldest_dependencies_has_all_that_the_tests_with_it_import() -> None:
    lines = (ROOT / "requirements" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0].replace("-", "_") for line in lines if "==" in line}
    own = {PACKAGE, "tests", "benchmarks", "examples", "generate", *TOOLS}
    missing: set[str] = set()
    for part in ("client", "emulator", "specdrift"):
        for path in (ROOT / "tests" / part).glob("*.py"):
            if path.name in LEFT_OUT_OF_LOWEST:
                continue
            name = f"tests.{part}.{path.stem}"
            modules = imported_modules(path.read_text(encoding="utf-8"), name)
            packages = {module.partition(".")[0] for module in modules}
            third_party = packages - sys.stdlib_module_names - own
            missing |= {DISTRIBUTIONS.get(package, package) for package in third_party} - locked

    assert missing == set()
