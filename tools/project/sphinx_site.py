"""A Sphinx extension, so that the site is built from the Markdown that GitHub shows.

It adapts links between files to links between pages, and names and texts of the generated code to
what Sphinx expects. `docs/conf.py` enables it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any, TypeVar, get_args, get_origin

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

PAGE_BY_FILE: Mapping[str, str] = {
    "README.md": "getting-started.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
"""The pages in docs/ that include files outside of docs/."""

PUBLIC_MODULES = ("leadconnector", "leadconnector.models", "leadconnector_emulator", "specdrift")

LINK_OR_CODE = re.compile(r"^```.*?^```$|\]\((?P<path>[^)\s#:]+)(?=[)#])", re.MULTILINE | re.DOTALL)
"""A block of code, which contains no link, or the file that a link names, without its anchor."""

CODE = re.compile(r"(?<![^\s(])(`[^`\s\\]+(?: [^`\s\\]+)*`)(?![^\s.,;:)])")
"""Code between backticks, which stay markup. Blanks and punctuation are around it."""

MARKUP = re.compile(r"[\\*`]|_(?!\w)|\|(?=\S)|:(?=:)")
"""What reStructuredText reads as emphasis, a reference, a substitution or a literal block."""

ENUMERATOR = re.compile(r"(\w+)([.)](?:\s|$))")
"""The start of a numbered list. Roman numerals and single letters count as numbers."""

START_OF_MARKUP = re.compile(r"[^\w\s`\\]")
"""A first character that can start a directive, a list, a quotation, or a line below a heading."""


PATH_OF_THIS_MACHINE = re.compile(r"\w+Path\('[^']*?([^'/\\]+)'\)")
"""A default value that is a file, with the name of the file."""


def page_links(text: str, folder: str) -> str:
    """Replace links between files of the project by links between the pages of the site.

    Args:
        text: Markdown.
        folder: the folder of the file, relative to the project; links are relative to it.
    """

    def page_link(match: re.Match[str]) -> str:
        path: str | None = match["path"]
        if path is None:
            return match[0]
        file = normpath(PurePosixPath(folder, path).as_posix())
        page = PAGE_BY_FILE.get(file, relpath(file, "docs"))
        return f"]({page}"

    return LINK_OR_CODE.sub(page_link, text)


def escaped_line(line: str) -> str:
    """A line that reStructuredText reads as text and code between backticks."""
    text = line.lstrip()
    if not text:
        return line
    indentation = line[: len(line) - len(text)]
    # The group in the pattern makes every second part code.
    parts = CODE.split(text)
    parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    text = "".join(parts)
    if START_OF_MARKUP.match(text):
        text = f"\\{text}"
    if not text.strip("\\"):
        # Only backslashes: a line of four would be a transition. An escaped blank is nothing.
        text = f"\\ {text}"
    if ENUMERATOR.match(text):
        text = ENUMERATOR.sub(r"\1\\\2", text, count=1)
    return f"{indentation}{text}"


def public_names() -> Mapping[str, str]:
    """The public name of each class, by the name under which its private module defines it."""
    names: dict[str, str] = {}
    for module_name in PUBLIC_MODULES:
        module = import_module(module_name)
        for name in getattr(module, "__all__", vars(module)):
            value = getattr(module, name)
            if isinstance(value, type):
                names[f"{value.__module__}.{value.__qualname__}"] = f"{module_name}.{name}"
    return names


def _replace_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Adapt the links of a page in docs/."""
    if app.env.doc2path(docname).suffix == ".md":
        source[0] = page_links(source[0], "docs")


def _replace_included_links(
    app: Sphinx, relative_path: Path, parent_docname: str, source: list[str]
) -> None:
    """Adapt the links of a file that a page includes: one in the folder of the project."""
    source[0] = page_links(source[0], ".")


def _readable_signature(
    app: Sphinx,
    kind: str,
    name: str,
    value: object,
    options: object,
    signature: str | None,
    return_annotation: str | None,
) -> tuple[str | None, str | None]:
    """Show the types of a client's options instead of the type variables of its base class.

    And show a default that is a file without the folders of this machine.
    """
    if signature is None or kind != "class":
        return signature, return_annotation
    signature = PATH_OF_THIS_MACHINE.sub(r"Path('\1')", signature)
    for base in getattr(value, "__orig_bases__", ()):
        variables: tuple[TypeVar, ...] = getattr(get_origin(base), "__parameters__", ())
        for variable, argument in zip(variables, get_args(base), strict=False):
            pattern = rf"~?[\w.]*\b{re.escape(variable.__name__)}\b"
            signature = re.sub(pattern, stringify_annotation(argument, "smart"), signature)
    return signature, return_annotation


def _escape_descriptions(
    app: Sphinx, kind: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Keep the descriptions of the spec, which generated docstrings contain, from being markup."""
    module_name = getattr(value, "__module__", None)
    if isinstance(module_name, str) and "._generated." in module_name:
        lines[:] = [escaped_line(line) for line in lines]


def _resolve_private_name(app: Sphinx, env: BuildEnvironment, node: Any, contents: Any) -> Any:
    """Link a type in a signature, which has the name of its private module, to its public name.

    Returns:
        A node of docutils; `None` if the name is not public.
    """
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"]
    # The docstrings of private modules name exceptions without their package.
    public_name = app.config.public_name_by_private_name.get(name, f"leadconnector.{name}")
    python = env.domains.python_domain
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", public_name, node, contents)


def setup(app: Sphinx) -> Mapping[str, bool]:
    """Connect the functions of this module, as Sphinx requires of an extension."""
    app.add_config_value("public_name_by_private_name", public_names(), "env")
    app.connect("source-read", _replace_links)
    app.connect("include-read", _replace_included_links)
    app.connect("autodoc-process-signature", _readable_signature)
    # Before napoleon, which reads the sections of a docstring: its priority is 500.
    app.connect("autodoc-process-docstring", _escape_descriptions, priority=400)
    app.connect("missing-reference", _resolve_private_name)
    return {"parallel_read_safe": True}
