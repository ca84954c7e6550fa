"""The distributions: built from a copy of the checkout, installed with their requirements, used.

A fresh environment gets only the requirements that the metadata declares.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib.metadata import Distribution
from pathlib import Path

import leadconnector
import pytest
from packaging.requirements import Requirement

from tests.support.environments import build, install, run, unpacked
from tests.support.paths import ROOT

LINKS = (
    "overrides/leadconnector/_generated",
    "tools/leadconnector_emulator/openapi.yaml",
)
"""The symbolic links in the repository."""

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
print(leadconnector.__file__)
print(*sys.modules)
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


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Distribution:
    return unpacked(wheel, wheel.parent.parent / "unpacked")


def test_the_wheel_contains_the_three_packages_and_nothing_else(
    wheel_source: Path, wheel: Path
) -> None:
    information = f"leadconnector-{leadconnector.__version__}.dist-info"
    files = content(wheel)
    assert {name.partition("/")[2] for name in files if name.startswith(information)} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }
    expected = {
        **content_under(wheel_source / "overrides" / "leadconnector", "leadconnector"),
        **content_under(wheel_source / "generated", "leadconnector/_generated"),
        **content_under(
            wheel_source / "tools" / "leadconnector_emulator", "leadconnector_emulator"
        ),
        **content_under(wheel_source / "tools" / "specdrift", "specdrift"),
    }
    # With these two, the package is a copy as `make vendor` writes it.
    assert files.pop("leadconnector/LICENSE") == (wheel_source / "LICENSE").read_bytes()
    assert "leadconnector/_manifest.json" in files
    del files["leadconnector/_manifest.json"]
    assert {
        name: data for name, data in files.items() if not name.startswith(information)
    } == expected
    for name in (
        "py.typed",
        "rate_limit/reserve.lua",
        "_generated/py.typed",
        "_generated/contract.json",
        "_generated/api/__init__.py",
    ):
        assert f"leadconnector/{name}" in files
    assert (
        files["leadconnector_emulator/openapi.yaml"]
        == (wheel_source / "spec" / "openapi.yaml").read_bytes()
    )


def test_the_wheel_contains_only_regular_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert not [
            info
            for info in archive.infolist()
            if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16)
        ]


def test_the_wheel_is_pure_python_for_every_platform(wheel: Path) -> None:
    assert wheel.name == f"leadconnector-{leadconnector.__version__}-py3-none-any.whl"


def test_the_wheel_declares_its_few_requirements(metadata: Distribution) -> None:
    requirements = [Requirement(text) for text in metadata.requires or []]
    always = [requirement for requirement in requirements if requirement.marker is None]
    assert sorted(requirement.name for requirement in always) == ["attrs", "httpx", "sniffio"]
    for extra, names in {
        "emulator": ["h11", "jsonschema-rs", "mkdocs-swagger-ui-tag", "pyyaml"],
        "drift": ["jinja2", "pyyaml"],
        "redis": ["redis"],
        "": list[str](),
    }.items():
        conditional = [
            requirement
            for requirement in requirements
            if requirement.marker and requirement.marker.evaluate({"extra": extra})
        ]
        assert sorted(requirement.name for requirement in conditional) == names
    assert metadata.metadata.get_all("Provides-Extra") == ["drift", "emulator", "redis"]


def test_the_wheel_states_the_version_the_license_and_the_python_it_needs(
    metadata: Distribution,
) -> None:
    assert metadata.version == leadconnector.__version__
    assert metadata.metadata["Name"] == "leadconnector"
    assert metadata.metadata["Requires-Python"] == ">=3.11"
    assert metadata.metadata["License-Expression"] == "MIT"


def test_the_wheel_works_with_only_its_run_time_requirements(wheel: Path, tmp_path: Path) -> None:
    python = install(tmp_path / "environment", wheel)
    package, generated = run(
        python, "-I", "-W", "error", "-c", USE_CLIENT, cwd=tmp_path
    ).splitlines()
    root = Path(package).parent
    assert root.is_relative_to(tmp_path / "environment")
    assert Path(generated).parent == root / "_generated"
    for name in ("yaml", "jsonschema", "pydantic"):
        probe = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
        assert run(python, "-I", "-c", probe, cwd=tmp_path) == "None\n"


def test_importing_the_client_imports_no_tool_even_if_installed(
    metadata: Distribution, tmp_path: Path
) -> None:
    root = Path(str(metadata.locate_file("")))
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


def test_the_emulator_works_with_its_extra(
    python_with: Callable[[str], Path], tmp_path: Path
) -> None:
    python = python_with("emulator")
    package = run(python, "-I", "-W", "error", "-c", USE_EMULATOR, cwd=tmp_path).strip()
    assert Path(package).is_relative_to(python.parents[1])
    assert "--port" in run(python, "-I", "-m", "leadconnector_emulator", "--help", cwd=tmp_path)


def test_specdrift_works_with_its_extra(
    python_with: Callable[[str], Path], metadata: Distribution, tmp_path: Path
) -> None:
    python = python_with("drift")
    spec, report = ROOT / "spec" / "openapi.yaml", tmp_path / "report.html"
    out = run(
        python, "-I", "-m", "specdrift", spec, spec, "--write", f"html={report}", cwd=tmp_path
    )
    assert out == f"Nothing changed from {spec} to {spec}.\n"
    assert "</html>" in report.read_text(encoding="utf-8")
    programs = {
        entry_point.name: entry_point.value
        for entry_point in metadata.entry_points
        if entry_point.group == "console_scripts"
    }
    assert programs == {"specdrift": "specdrift.__main__:main"}


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


def test_a_project_with_the_emulator_extra_has_its_pytest_fixtures(
    python_with: Callable[[str], Path], tmp_path: Path
) -> None:
    python = python_with("emulator")
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


def test_the_sdist_contains_no_links_and_builds_the_same_wheel(
    wheel_source: Path, wheel: Path, tmp_path: Path
) -> None:
    sdist = build(wheel_source, tmp_path / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            assert member.isreg()
            file = archive.extractfile(member)
            assert file is not None
            target = tmp_path / "unpacked" / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read())
    (source,) = (tmp_path / "unpacked").iterdir()
    assert content(build(source, tmp_path / "wheel")) == content(wheel)


def test_the_wheel_is_the_same_if_git_checked_links_out_as_text(
    wheel_source: Path, wheel: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(wheel_source, tmp_path / "checkout", symlinks=True))
    for link in LINKS:
        assert (copy / link).is_symlink()
        target = os.readlink(copy / link)
        (copy / link).unlink()
        (copy / link).write_text(target, encoding="utf-8")
    assert content(build(copy, tmp_path / "wheel")) == content(wheel)


def test_caches_are_not_in_the_wheel(wheel_source: Path, wheel: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(wheel_source, tmp_path / "checkout", symlinks=True))
    for folder in ("generated", "overrides/leadconnector", "tools/leadconnector_emulator"):
        for cache in ("__pycache__/module.cpython-311.pyc", ".mypy_cache/cache.json"):
            (copy / folder / cache).parent.mkdir()
            (copy / folder / cache).touch()
    assert content(build(copy, tmp_path / "wheel")) == content(wheel)


def test_an_editable_install_uses_both_packages_of_the_checkout(
    wheel_source: Path, tmp_path: Path
) -> None:
    code = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    target = tmp_path / "editable"
    target.mkdir()
    run(sys.executable, "-c", code, target, cwd=wheel_source)
    (editable,) = target.iterdir()
    (paths,) = [data for name, data in content(editable).items() if name.endswith(".pth")]
    assert paths.decode().split("\n") == [
        str(wheel_source / "overrides"),
        str(wheel_source / "tools"),
    ]
    python = install(tmp_path / "environment", editable, "emulator")
    assert run(python, "-I", "-c", USE_CLIENT, cwd=tmp_path).splitlines() == [
        str(wheel_source / "overrides" / "leadconnector" / "__init__.py"),
        str(wheel_source / "overrides" / "leadconnector" / "_generated" / "__init__.py"),
    ]
    emulator = run(python, "-I", "-c", USE_EMULATOR, cwd=tmp_path).strip()
    assert Path(emulator) == wheel_source / "tools" / "leadconnector_emulator" / "__init__.py"
