"""The three distributions: built from a copy of the checkout, installed with their requirements.

A fresh environment gets only the requirements that the metadata declares.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import leadconnector
import pytest
import specdrift.__main__
from leadconnector import _requirements as client_requirements
from leadconnector_emulator import requirements as emulator_requirements
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project.build_hook import LINKS
from project.dist import PROJECTS
from project.sources import REVISION_FILE

from tests.support.environments import (
    add_wheel,
    build,
    create_environment,
    install,
    packages_folder,
    run,
    unpacked,
)
from tests.support.paths import ROOT

MODULES = {
    "leadconnector": "leadconnector",
    "leadconnector-emulator": "leadconnector_emulator",
    "specdrift": "specdrift",
}
"""The import package of each distribution."""

FILES_OF_A_PROJECT = {"Dockerfile", "LICENSE", "README.md", "build_hook.py", "pyproject.toml"}
"""The files next to the modules that are not installed."""

FILES_OF_A_COPY = ("leadconnector/LICENSE", "leadconnector/_manifest.json")
"""What the build adds to the client, so that an installed package can be vendored."""

MEGABYTE = 1_000_000

USE_CLIENT = """
import asyncio, importlib.metadata, json
import httpx, leadconnector
from leadconnector import AsyncLeadConnector, LeadConnector, NotFoundError
from leadconnector.models import LastMessageType, UpdateConversationResponse

def respond(request):
    if request.url.path != "/conversations/a":
        return httpx.Response(404)
    conversation = {
        "locationId": json.loads(request.content)["locationId"],
        "contactId": "c",
        "deleted": False,
        "lastMessageType": "TYPE_SMS",
    }
    return httpx.Response(200, json={"success": True, "conversation": conversation})

transport = httpx.MockTransport(respond)

async def use_async():
    async with AsyncLeadConnector(token="t", transport=transport) as client:
        return await client.conversations.update_conversation("a", location_id="l", starred=True)

with LeadConnector(token="t", transport=transport) as client:
    result = client.conversations.update_conversation("a", location_id="l", starred=True)
    for result in result, asyncio.run(use_async()):
        assert isinstance(result, UpdateConversationResponse), result
        assert result.conversation.location_id == "l", result
        assert result.conversation.last_message_type is LastMessageType.TYPE_SMS, result
    try:
        client.conversations.update_conversation("b", location_id="l")
    except NotFoundError as error:
        assert error.status_code == 404
    else:
        raise AssertionError("a 404 was no error")
assert importlib.metadata.version("leadconnector") == leadconnector.__version__
print(leadconnector.__file__)
print(leadconnector._generated.__file__)
"""

LIST_IMPORTED_MODULES = """
import sys
sys.path.insert(0, sys.argv[1])
import leadconnector, leadconnector.models
for name in leadconnector.__all__:
    getattr(leadconnector, name)
for name in leadconnector.models.__all__:
    getattr(leadconnector.models, name)
print(leadconnector.__file__)
print(*sys.modules)
"""

USE_EMULATOR_ALONE = """
import importlib.util
import httpx
import leadconnector_emulator
from leadconnector_emulator import Emulator, EmulatorTransport, Request
from leadconnector_emulator.page import Page
assert importlib.util.find_spec("leadconnector") is None
emulator = Emulator(tokens=["t"])
with httpx.Client(transport=EmulatorTransport(emulator), base_url="http://emulator") as client:
    assert client.put("/conversations/a").status_code == 401
print(leadconnector_emulator.__file__)
print(Page(emulator).respond(Request("GET", "/", {})).body.decode())
"""

USE_EMULATOR = """
import leadconnector_emulator
from leadconnector import LeadConnector
from leadconnector_emulator import Emulator, EmulatorTransport
emulator = Emulator(tokens=["t"])
with LeadConnector(token="t", transport=EmulatorTransport(emulator)) as client:
    example = emulator.example
    result = client.conversations.update_conversation(
        example["id"], location_id=example["locationId"], unread_count=7
    )
assert result.conversation.unread_count == 7
print(leadconnector_emulator.__file__)
"""


Metadata = dict[str, Distribution]
"""The metadata of each distribution, by its name."""

PythonWith = Callable[..., Path]


def content(wheel: Path) -> dict[str, bytes]:
    """The files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def content_under(folder: Path, prefix: str) -> dict[str, bytes]:
    """The files under a folder, by their names in the wheel. Links to folders are not followed."""
    files: dict[str, bytes] = {}
    for parent, _, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        for name in names:
            files[f"{prefix}/{(relative / name).as_posix()}"] = Path(parent, name).read_bytes()
    return files


def size_of(folder: Path) -> int:
    """The size of the files in a folder, in bytes, without the modules that Python compiles."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files)


def pyproject(name: str) -> dict[str, Any]:
    """The pyproject.toml of a distribution."""
    path = ROOT / PROJECTS[name] / "pyproject.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def metadata(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Metadata:
    """Unpacks each wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("unpacked")
    return {name: unpacked(wheel, folder / name) for name, wheel in wheels.items()}


def expected_content(source: Path) -> dict[str, dict[str, bytes]]:
    """The modules and data files of each distribution, from the files in the repository."""
    client = {
        **content_under(source / "overrides" / "leadconnector", "leadconnector"),
        **content_under(source / "generated", "leadconnector/_generated"),
    }
    emulator = content_under(source / "tools" / "leadconnector_emulator", "leadconnector_emulator")
    spec = (source / "spec" / "openapi.yaml").read_bytes()
    return {
        "leadconnector": client,
        "leadconnector-emulator": {
            **without_project_files(emulator),
            "leadconnector_emulator/openapi.yaml": spec,
        },
        "specdrift": without_project_files(
            content_under(source / "tools" / "specdrift", "specdrift")
        ),
    }


def without_project_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: data
        for name, data in files.items()
        if name.partition("/")[2] not in FILES_OF_A_PROJECT
    }


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_contains_one_package_and_nothing_else(
    wheel_source: Path, wheels: dict[str, Path], name: str
) -> None:
    information = f"{MODULES[name]}-{leadconnector.__version__}.dist-info/"
    files = content(wheels[name])
    modules = {file: data for file, data in files.items() if not file.startswith(information)}
    for file in FILES_OF_A_COPY:
        modules.pop(file, None)
    assert modules == expected_content(wheel_source)[name]
    assert f"{MODULES[name]}/py.typed" in modules
    information_files = {
        file.removeprefix(information) for file in files if file.startswith(information)
    }
    assert information_files - {"entry_points.txt"} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "licenses/LICENSE",
    }


def test_the_wheel_of_the_client_contains_generated_code_and_data(wheel: Path) -> None:
    files = content(wheel)
    # With the license and the manifest, the package is a copy as `make vendor` writes it.
    assert files["leadconnector/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    for name in (
        "_manifest.json",
        "rate_limit/reserve.lua",
        "_generated/py.typed",
        "_generated/contract.json",
        "_generated/api/__init__.py",
    ):
        assert f"leadconnector/{name}" in files


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_contains_only_regular_files(wheels: dict[str, Path], name: str) -> None:
    with zipfile.ZipFile(wheels[name]) as archive:
        assert not [
            info
            for info in archive.infolist()
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16)
        ]


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_is_pure_python_for_every_platform(wheels: dict[str, Path], name: str) -> None:
    assert wheels[name].name == f"{MODULES[name]}-{leadconnector.__version__}-py3-none-any.whl"


@pytest.mark.parametrize(
    ("name", "extra", "names"),
    [
        ("leadconnector", "", ["attrs", "httpx", "sniffio"]),
        ("leadconnector", "fast", ["httptools"]),
        ("leadconnector", "redis", ["redis"]),
        ("leadconnector", "webhooks", ["cryptography"]),
        ("leadconnector-emulator", "", ["h11", "httpx", "jsonschema-rs", "pyyaml"]),
        ("leadconnector-emulator", "page", ["mkdocs-swagger-ui-tag"]),
        ("leadconnector-emulator", "webhooks", ["cryptography"]),
        ("specdrift", "", ["httpx", "jinja2", "pyyaml"]),
    ],
)
def test_a_wheel_declares_its_few_requirements(
    metadata: Metadata, name: str, extra: str, names: list[str]
) -> None:
    selected: list[str] = []
    for requirement in map(Requirement, metadata[name].requires or []):
        is_always_needed = requirement.marker is None
        if extra:
            is_selected = bool(requirement.marker and requirement.marker.evaluate({"extra": extra}))
        else:
            is_selected = is_always_needed
        if is_selected:
            selected.append(requirement.name)
    assert sorted(selected) == names


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("leadconnector", ["fast", "otel", "redis", "webhooks"]),
        ("leadconnector-emulator", ["page", "webhooks"]),
        ("specdrift", None),
    ],
)
def test_a_wheel_has_no_other_extra(
    metadata: Metadata, name: str, extras: list[str] | None
) -> None:
    assert metadata[name].metadata.get_all("Provides-Extra") == extras


def test_no_distribution_requires_another_one(metadata: Metadata) -> None:
    # They are on no package index, where somebody else could register their names.
    for distribution in metadata.values():
        names = {Requirement(text).name for text in distribution.requires or []}
        assert {canonicalize_name(name) for name in names}.isdisjoint(PROJECTS)


def test_two_distributions_require_the_same_versions_of_a_package(metadata: Metadata) -> None:
    specifiers: dict[str, set[str]] = {}
    for distribution in metadata.values():
        for requirement in map(Requirement, distribution.requires or []):
            specifiers.setdefault(requirement.name, set()).add(str(requirement.specifier))
    assert {"httpx", "pyyaml"} <= specifiers.keys()
    assert [name for name, versions in specifiers.items() if len(versions) > 1] == []


def test_the_messages_about_missing_requirements_name_those_in_pyproject() -> None:
    emulator = pyproject("leadconnector-emulator")["project"]["dependencies"]
    assert list(emulator_requirements.REQUIREMENTS) == emulator
    comparison = pyproject("specdrift")["project"]["dependencies"]
    assert list(specdrift.__main__.REQUIREMENTS) == comparison
    client = pyproject("leadconnector")["project"]["dependencies"]
    assert list(client_requirements.REQUIREMENTS) == client


@pytest.mark.parametrize(
    ("name", "package"),
    [("leadconnector-emulator", "leadconnector_emulator"), ("specdrift", "specdrift")],
)
def test_a_program_prints_the_version_of_its_distribution(
    wheels: dict[str, Path], name: str, package: str, tmp_path: Path
) -> None:
    python = install(tmp_path / "environment", wheels[name])

    output = run(python, "-I", "-m", package, "--version", cwd=tmp_path)
    assert output == f"{name} {leadconnector.__version__}\n"

    # An unpacked package without its metadata runs too, as a checkout on the path does.
    [metadata] = packages_folder(tmp_path / "environment").glob(f"{package}-*.dist-info")
    shutil.rmtree(metadata)
    output = run(python, "-I", "-m", package, "--version", cwd=tmp_path)
    assert output == f"{name} (not installed, so its version is unknown)\n"


def test_the_page_about_vendoring_states_the_requirements_of_a_copy() -> None:
    page = (ROOT / "docs" / "vendoring.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    [dependencies] = [block["project"]["dependencies"] for block in blocks if "project" in block]
    project = pyproject("leadconnector")["project"]
    assert dependencies == project["dependencies"]
    for requirements in project["optional-dependencies"].values():
        for requirement in requirements:
            assert f"`{requirement}`" in page


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wheel_states_the_version_the_license_and_the_python_it_needs(
    metadata: Metadata, name: str
) -> None:
    assert metadata[name].version == leadconnector.__version__
    assert metadata[name].metadata["Name"] == name
    assert metadata[name].metadata["Requires-Python"] == ">=3.11"
    assert metadata[name].metadata["License-Expression"] == "MIT"
    assert "Typing :: Typed" in metadata[name].metadata.get_all("Classifier", [])


@pytest.mark.parametrize("name", ["leadconnector-emulator", "specdrift"])
def test_all_distributions_name_the_same_pythons(name: str) -> None:
    def languages(distribution: str) -> list[str]:
        classifiers = pyproject(distribution)["project"]["classifiers"]
        return [text for text in classifiers if text.startswith("Programming Language")]

    assert languages(name) == languages("leadconnector")


@pytest.mark.parametrize("name", PROJECTS)
def test_the_description_renders_on_a_package_index_without_links_to_files(
    metadata: Metadata, name: str
) -> None:
    assert metadata[name].metadata["Description-Content-Type"] == "text/markdown"
    # The package index removes raw HTML; a disabled parser of it shows it as text.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    html = renderer.render(metadata[name].metadata["Description"])
    assert f"<h1>{name}</h1>" in html
    targets = re.findall(r'(?:href|src)="([^"]*)"', html)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    # A link whose target was removed leaves its text, and no bracket.
    text = re.sub(r"<pre.*?</pre>|<code>.*?</code>", "", html, flags=re.DOTALL)
    assert "](" not in text
    assert "&lt;" not in text


def test_the_description_of_the_client_is_its_readme(metadata: Metadata) -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    description = metadata["leadconnector"].metadata["Description"].splitlines()
    assert len(description) == len(lines)
    assert [line for line in lines if "](" not in line and line not in description] == []


@pytest.mark.parametrize("name", PROJECTS)
def test_the_metadata_contains_no_placeholder_of_an_address(metadata: Metadata, name: str) -> None:
    urls = metadata[name].metadata.get_all("Project-URL", [])
    assert [url for url in urls if "HOST" in url or "example" in url] == []


def test_each_distribution_contains_the_license_of_the_repository() -> None:
    # A license file must be below the folder of its pyproject.toml (PEP 639).
    licenses = {(ROOT / folder / "LICENSE").read_bytes() for folder in PROJECTS.values()}
    assert len(licenses) == 1


def test_the_wheel_works_with_only_its_run_time_requirements(wheel: Path, tmp_path: Path) -> None:
    python = install(tmp_path / "environment", wheel)
    package, generated = run(
        python, "-I", "-W", "error", "-c", USE_CLIENT, cwd=tmp_path
    ).splitlines()
    root = Path(package).parent
    assert root.is_relative_to(tmp_path / "environment")
    assert Path(generated).parent == root / "_generated"
    for name in ("yaml", "jsonschema", "pydantic", "leadconnector_emulator", "specdrift"):
        probe = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
        assert run(python, "-I", "-c", probe, cwd=tmp_path) == "None\n"


def test_the_client_and_its_requirements_are_small(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    install(environment, wheel)
    packages = packages_folder(environment)
    assert (packages / "httpx" / "__init__.py").exists()
    # The second number depends on the versions in requirements/dev.txt.
    assert size_of(packages / "leadconnector") < 1.0 * MEGABYTE
    assert size_of(packages) < 3.3 * MEGABYTE


def test_importing_the_client_imports_no_tool_even_if_installed(
    metadata: Metadata, tmp_path: Path
) -> None:
    root = Path(str(metadata["leadconnector"].locate_file("")))
    package, modules = run(
        sys.executable, "-I", "-c", LIST_IMPORTED_MODULES, root, cwd=tmp_path
    ).splitlines()
    assert Path(package).parent == root / "leadconnector"
    loaded = {name.partition(".")[0] for name in modules.split()}
    assert {"leadconnector", "httpx", "attrs"} <= loaded
    tools = {
        "yaml",
        "jsonschema",
        "openapi_python_client",
        "pydantic",
        "ruff",
        "jinja2",
        "generate",
    }
    assert loaded.isdisjoint(tools | {"leadconnector_emulator", "specdrift"})


def test_the_emulator_works_without_the_client_and_without_the_files_of_its_page(
    python_with: PythonWith, tmp_path: Path
) -> None:
    python = python_with("leadconnector-emulator")
    package, *page = run(
        python, "-I", "-W", "error", "-c", USE_EMULATOR_ALONE, cwd=tmp_path
    ).splitlines()
    assert Path(package).is_relative_to(python.parents[1])
    assert "pip install 'mkdocs-swagger-ui-tag" in "\n".join(page)
    assert "swagger-ui-bundle.js" not in "\n".join(page)
    assert "--port" in run(python, "-I", "-m", "leadconnector_emulator", "--help", cwd=tmp_path)


def test_the_extra_of_the_emulator_brings_the_files_of_its_page(
    python_with: PythonWith, tmp_path: Path
) -> None:
    python_with_page = python_with("leadconnector-emulator[page]")
    page = run(python_with_page, "-I", "-W", "error", "-c", USE_EMULATOR_ALONE, cwd=tmp_path)
    assert "/_emulator/swagger-ui-bundle.js" in page
    python = python_with("leadconnector-emulator")
    added = size_of(python_with_page.parents[1]) - size_of(python.parents[1])
    # Swagger UI has 4.4 MB. The package that contains it brings an HTML parser too.
    assert added > 4 * MEGABYTE


def test_the_emulator_serves_the_client(python_with: PythonWith, tmp_path: Path) -> None:
    python = python_with("leadconnector", "leadconnector-emulator")
    package = run(python, "-I", "-W", "error", "-c", USE_EMULATOR, cwd=tmp_path).strip()
    assert Path(package).is_relative_to(python.parents[1])


def test_specdrift_works_alone(python_with: PythonWith, tmp_path: Path) -> None:
    python = python_with("specdrift")
    spec, report = ROOT / "spec" / "openapi.yaml", tmp_path / "report.html"
    out = run(
        python, "-I", "-m", "specdrift", spec, spec, "--write", f"html={report}", cwd=tmp_path
    )
    assert out == f"Nothing changed from {spec} to {spec}.\n"
    assert "</html>" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["leadconnector-emulator", "specdrift"])
def test_a_tool_has_a_program_with_the_name_of_its_distribution(
    metadata: Metadata, name: str
) -> None:
    programs = {
        entry_point.name: entry_point.value
        for entry_point in metadata[name].entry_points
        if entry_point.group == "console_scripts"
    }
    assert programs == {name: f"{MODULES[name]}.__main__:main"}


def test_only_the_emulator_is_a_plugin_of_pytest(metadata: Metadata) -> None:
    plugins = {
        name
        for name, distribution in metadata.items()
        if any(entry_point.group == "pytest11" for entry_point in distribution.entry_points)
    }
    assert plugins == {"leadconnector-emulator"}


CONSUMER = """
from leadconnector import ServerError
from leadconnector_emulator import Fault
import pytest


def star(client, conversation_id, location_id):
    response = client.conversations.update_conversation(
        conversation_id, location_id=location_id, starred=True
    )
    return response.conversation


def test_the_service_stars_a_conversation(leadconnector_client, leadconnector_emulator):
    example = leadconnector_emulator.example
    leadconnector_emulator.put("conversations", {**example, "id": "ours", "starred": False})
    assert star(leadconnector_client, "ours", example["locationId"]).starred
    assert leadconnector_emulator.get("conversations", "ours")["starred"] is True
    (exchange,) = leadconnector_emulator.exchanges
    assert (exchange.request.method, exchange.response.status) == ("PUT", 200)


def test_each_test_has_a_new_emulator(leadconnector_emulator):
    assert leadconnector_emulator.get("conversations", "ours") is None
    assert leadconnector_emulator.exchanges == []


def test_the_service_receives_a_fault(leadconnector_client, leadconnector_emulator):
    leadconnector_emulator.set_faults(Fault(status=503))
    with pytest.raises(ServerError):
        star(leadconnector_client, "ours", "location")
"""


def test_a_project_with_the_emulator_has_its_pytest_fixtures(
    python_with: PythonWith, tmp_path: Path
) -> None:
    python = python_with("leadconnector", "leadconnector-emulator")
    project = tmp_path / "service"
    project.mkdir()
    (project / "test_service.py").write_text(CONSUMER, encoding="utf-8")
    assert "3 passed" in run(
        python, "-I", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project
    )
    fixtures = run(
        python, "-I", "-m", "pytest", "--fixtures", "-p", "no:cacheprovider", cwd=project
    )
    assert "leadconnector_emulator" in fixtures
    assert "leadconnector_client" in fixtures


@pytest.mark.parametrize("name", PROJECTS)
def test_an_sdist_builds_the_same_wheel(
    trees: dict[str, Path], wheels: dict[str, Path], name: str, tmp_path: Path
) -> None:
    assert build(trees[name], tmp_path / "wheel").read_bytes() == wheels[name].read_bytes()


@pytest.mark.parametrize("name", PROJECTS)
def test_an_unpacked_sdist_builds_an_sdist_with_the_same_files(
    sdists: dict[str, Path], trees: dict[str, Path], name: str, tmp_path: Path
) -> None:
    with tarfile.open(sdists[name]) as archive:
        names = archive.getnames()
    assert len(names) == len(set(names))
    with tarfile.open(build(trees[name], tmp_path / "again", "sdist")) as archive:
        assert sorted(archive.getnames()) == sorted(names)


def test_the_sdist_contains_every_file_of_the_repository_and_its_links(
    wheel_source: Path, trees: dict[str, Path]
) -> None:
    tree = trees["leadconnector"]
    files = content_under(tree, ".")
    expected = {
        name: content
        for name, content in content_under(wheel_source, ".").items()
        # A build can leave the compiled build hook in the source.
        if "__pycache__" not in name
    }
    assert files.pop("./PKG-INFO")
    # The build writes the commit into it. This copy of the checkout has none.
    assert files.pop(f"./{REVISION_FILE}") == b"unknown\n"
    assert expected.pop(f"./{REVISION_FILE}")
    assert files == expected
    for path in wheel_source.rglob("*"):
        copy = tree / path.relative_to(wheel_source)
        assert copy.is_symlink() == path.is_symlink(), path
        if path.is_symlink():
            assert os.readlink(copy) == os.readlink(path)
        elif path.is_file():
            assert os.access(copy, os.X_OK) == os.access(path, os.X_OK), path


def test_the_links_that_the_sdist_adds_are_those_of_the_repository(wheel_source: Path) -> None:
    links = {
        path.relative_to(wheel_source).as_posix(): os.readlink(path)
        for path in wheel_source.rglob("*")
        if path.is_symlink()
    }
    assert links == LINKS


@pytest.mark.parametrize("name", ["leadconnector-emulator", "specdrift"])
def test_the_sdist_of_a_tool_contains_only_regular_files_of_its_folder(
    wheel_source: Path, sdists: dict[str, Path], name: str
) -> None:
    with tarfile.open(sdists[name]) as archive:
        assert all(member.isreg() for member in archive.getmembers())
        files = {member.name.partition("/")[2] for member in archive.getmembers()}
    expected = {
        file.removeprefix("./") for file in content_under(wheel_source / PROJECTS[name], ".")
    }
    # The build backend adds two files.
    assert files == expected | {".gitignore", "PKG-INFO"}


@pytest.fixture
def checkout_without_links(wheel_source: Path, tmp_path: Path) -> Path:
    """A checkout in which git has written links as text files."""
    copy = Path(shutil.copytree(wheel_source, tmp_path / "checkout", symlinks=True))
    for link, target in LINKS.items():
        assert (copy / link).is_symlink()
        (copy / link).unlink()
        (copy / link).write_text(target, encoding="utf-8")
    return copy


@pytest.mark.parametrize("name", ["leadconnector", "leadconnector-emulator"])
def test_the_distributions_are_the_same_if_git_checked_links_out_as_text(
    checkout_without_links: Path,
    wheels: dict[str, Path],
    sdists: dict[str, Path],
    name: str,
    tmp_path: Path,
) -> None:
    project = checkout_without_links / PROJECTS[name]
    assert build(project, tmp_path / "wheel").read_bytes() == wheels[name].read_bytes()
    assert build(project, tmp_path / "sdist", "sdist").read_bytes() == sdists[name].read_bytes()


def test_caches_are_not_in_the_wheels(
    wheel_source: Path, wheels: dict[str, Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(wheel_source, tmp_path / "checkout", symlinks=True))
    for folder in (
        "generated",
        "overrides/leadconnector",
        "tools/leadconnector_emulator",
        "tools/specdrift",
    ):
        for cache in ("__pycache__/module.cpython-311.pyc", ".mypy_cache/cache.json"):
            (copy / folder / cache).parent.mkdir(exist_ok=True)
            (copy / folder / cache).touch()
    for name, project in PROJECTS.items():
        built = build(copy / project, tmp_path / "wheels" / name)
        assert content(built) == content(wheels[name])


BUILD_EDITABLE = """
import sys
from hatchling.build import build_editable
build_editable(sys.argv[1])
"""


def build_editable(project: Path, target: Path) -> Path:
    """Build the wheel of an editable install."""
    target.mkdir(parents=True)
    run(sys.executable, "-c", BUILD_EDITABLE, target, cwd=project)
    (editable,) = target.iterdir()
    return editable


def test_editable_installs_use_the_packages_of_the_checkout(
    wheel_source: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    python = create_environment(environment)
    for name, folder in {
        "leadconnector": "overrides",
        "leadconnector-emulator": "tools",
        "specdrift": "tools",
    }.items():
        editable = build_editable(wheel_source / PROJECTS[name], tmp_path / "editable" / name)
        (path_file,) = [data for file, data in content(editable).items() if file.endswith(".pth")]
        assert path_file.decode() == str(wheel_source / folder)
        add_wheel(environment, editable)
    assert run(python, "-I", "-c", USE_CLIENT, cwd=tmp_path).splitlines() == [
        str(wheel_source / "overrides" / "leadconnector" / "__init__.py"),
        str(wheel_source / "overrides" / "leadconnector" / "_generated" / "__init__.py"),
    ]
    emulator = run(python, "-I", "-c", USE_EMULATOR, cwd=tmp_path).strip()
    assert Path(emulator) == wheel_source / "tools" / "leadconnector_emulator" / "__init__.py"
    code = "import specdrift; print(specdrift.__file__)"
    comparison = run(python, "-I", "-c", code, cwd=tmp_path).strip()
    assert Path(comparison) == wheel_source / "tools" / "specdrift" / "__init__.py"
