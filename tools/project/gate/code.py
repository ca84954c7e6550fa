"""Collects the code of a revision that uses the client as a user does."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

TYPE_TESTS = "tests/typing"
EXAMPLES = "examples"

PROJECT_PACKAGES = {"generate", "project"}
"""Tools of this repository that no package contains. Users have no code that imports them."""

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class UserCode:
    """A folder with Python files, and where they come from."""

    folder: Path
    sources: dict[str, str]
    """The file in the revision, such as `README.md`, by the file in the folder."""

    def line_of(self, file: str, line: int) -> str:
        """The text of a line. The first line is 1. It is empty where there is no such line."""
        lines = (self.folder / file).read_text(encoding="utf-8").splitlines()
        if line > len(lines):
            return ""
        return lines[line - 1]


def collect_code(revision: Path, folder: Path) -> UserCode:
    """Write the code that uses the client into a folder.

    Args:
        revision: the files of the revision.
        folder: the folder to create.
    """
    code = UserCode(folder, {})
    for place in (TYPE_TESTS, EXAMPLES):
        for file in sorted((revision / place).glob("*.py")):
            text = file.read_text(encoding="utf-8")
            if not uses_project(text):
                source = file.relative_to(revision).as_posix()
                add(code, f"{place.replace('/', '_')}_{file.name}", source, text)
    for document in sorted([*revision.glob("*.md"), *revision.glob("docs/**/*.md")]):
        add_blocks(code, document, document.relative_to(revision).as_posix())
    return code


def uses_project(text: str) -> bool:
    """Whether Python code imports tools of this repository."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return not PROJECT_PACKAGES.isdisjoint(module.partition(".")[0] for module in modules)


def add_blocks(code: UserCode, document: Path, source: str) -> None:
    """Add each Python block of a document as a file, with the line numbers of the document."""
    text = document.read_text(encoding="utf-8")
    for number, block in enumerate(BLOCK.finditer(text)):
        lines_before = text.count("\n", 0, block.start(1))
        name = re.sub(r"\W", "_", source)
        add(code, f"{name}_{number}.py", source, "\n" * lines_before + block[1])


def add(code: UserCode, name: str, source: str, text: str) -> None:
    """Add a file."""
    code.folder.mkdir(parents=True, exist_ok=True)
    (code.folder / name).write_text(text, encoding="utf-8")
    code.sources[name] = source
