"""Configures Sphinx, which builds the site from the Markdown that GitHub also shows."""

import re
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any, TypeVar, get_args, get_origin

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

ROOT = Path(__file__).resolve().parents[1]
# The packages of this checkout, also where another version is installed.
sys.path[:0] = [str(ROOT / "overrides"), str(ROOT / "tools")]

project = "leadconnector"
html_title = "leadconnector"
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
templates_path: list[str] = []
html_static_path: list[str] = ["static"]
html_css_files = ["site.css"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# GitHub makes the same anchors for headings of all levels.
myst_heading_anchors = 6
# GitHub renders `:::` as text. A block of backticks would be a block of code there.
myst_enable_extensions = ["colon_fence"]

# Types are in the signatures, each argument on a line of its own if they do not fit on one.
maximum_signature_line_length = 72
python_use_unqualified_type_names = True
add_module_names = False
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Docstrings mark code with single backticks, as Markdown does. A name in them that is documented
# here becomes a link.
default_role = "py:obj"

# A reference to a Python name without a target is an error.
nitpicky = True
nitpick_ignore_regex = [
    # Most code in single backticks is no public name.
    ("py:obj", ".*"),
    # The build needs no network, so it knows no inventory of other projects.
    ("py:.*", r"(collections|contextlib|datetime|enum|os|pathlib|typing)\..*"),
    ("py:.*", r"(httpx|redis)\..*"),
    ("py:class", r"(bool|bytes|dict|float|int|list|object|str|tuple|type|None)"),
    ("py:exc", r"(OSError|TypeError|ValueError)"),
    # Types of the signatures that users need not name. The text below a signature describes them.
    ("py:class", r"leadconnector\._runtime\.protocols\.TokenSource"),
    ("py:class", r"leadconnector\._options\.Options"),
    ("py:class", r"leadconnector\._runtime\.secrets\.Token"),
    ("py:class", r"leadconnector\.rate_limit\.redis_script\.RedisClient"),
    ("py:class", r"leadconnector\._generated\.(Async)?Session"),
]
suppress_warnings = [
    # README has its own title. The pages here include parts of it.
    "myst.header",
    # A page that another change adds.
    "toc.not_readable",
]

PAGE_BY_FILE = {
    "README.md": "getting-started.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
}
"""The pages that include files outside of docs/."""

LINK_OR_CODE = re.compile(r"^```.*?^```$|\]\((?P<path>[^)\s#:]+)(?=[)#])", re.MULTILINE | re.DOTALL)
"""A block of code, which contains no link, or a link to a file, without its anchor."""

PUBLIC_MODULES = ("leadconnector", "leadconnector.models", "leadconnector_emulator", "specdrift")


def page_links(text: str, folder: str) -> str:
    """Replace links between files of the project by links between the pages of the site.

    Args:
        text: Markdown.
        folder: the folder of the file, relative to the project; links are relative to it.
    """

    def page_link(match: re.Match[str]) -> str:
        path = match["path"]
        if path is None:
            return match[0]
        file = normpath(PurePosixPath(folder, path).as_posix())
        return f"]({PAGE_BY_FILE.get(file, relpath(file, 'docs'))}"

    return LINK_OR_CODE.sub(page_link, text)


def replace_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Adapt the links of a page in docs/."""
    if app.env.doc2path(docname).suffix == ".md":
        source[0] = page_links(source[0], "docs")


def replace_included_links(
    app: Sphinx, relative_path: Path, parent_docname: str, source: list[str]
) -> None:
    """Adapt the links of a file that a page includes."""
    source[0] = page_links(source[0], ".")


def public_names() -> Mapping[str, str]:
    """The public name of each object, by the name under which its private module defines it."""
    names: dict[str, str] = {}
    for module_name in PUBLIC_MODULES:
        module = import_module(module_name)
        for name in public_names_of(module):
            value = getattr(module, name)
            if isinstance(value, type):
                names[f"{value.__module__}.{value.__qualname__}"] = f"{module_name}.{name}"
    return names


def public_names_of(module: Any) -> list[str]:
    """The names in `__all__`, or those without an underscore."""
    names = getattr(module, "__all__", None)
    return list(names) if names else [name for name in vars(module) if not name.startswith("_")]


def resolve_private_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contents: nodes.TextElement
) -> nodes.Element | None:
    """Link a type in a signature, which has the name of its private module, to its public name."""
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"]
    # The docstrings of private modules name exceptions without their package.
    public_name = app.config.public_name_by_private_name.get(name, f"leadconnector.{name}")
    python = env.domains.python_domain
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", public_name, node, contents)


def replace_type_variables(
    app: Sphinx,
    kind: str,
    name: str,
    value: object,
    options: object,
    signature: str | None,
    return_annotation: str | None,
) -> tuple[str | None, str | None] | None:
    """Show the types of a client's options instead of the type variables of its base class."""
    if signature is None or kind != "class":
        return None
    for base in get_original_bases(value):
        for variable, argument in zip(get_origin_parameters(base), get_args(base), strict=False):
            pattern = rf"[\w.]*\b{re.escape(variable.__name__)}\b"
            signature = re.sub(pattern, stringify_annotation(argument), signature)
    return signature, return_annotation


def get_original_bases(value: object) -> tuple[object, ...]:
    """The bases of a class as written, with their type arguments."""
    return getattr(value, "__orig_bases__", ())


def get_origin_parameters(base: object) -> tuple[TypeVar, ...]:
    """The type variables of the class of a base."""
    return getattr(get_origin(base), "__parameters__", ())


def escape_descriptions(
    app: Sphinx, kind: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Keep the descriptions of the spec, which generated docstrings contain, from being markup."""
    module_name = getattr(value, "__module__", None)
    if isinstance(module_name, str) and "._generated." in module_name:
        lines[:] = [escaped_line(line) for line in lines]


def escaped_line(line: str) -> str:
    """A line that reStructuredText reads as text. Pairs of backticks still mark code."""
    text = line.lstrip()
    indentation = line[: len(line) - len(text)]
    text = re.sub(r"\\|\*|_(?!\w)|\|(?=\S)|:(?=:)", r"\\\g<0>", text)
    if text.count("`") % 2:
        text = text.replace("`", r"\`")
    if re.match(r"[^\w\s`\\]", text):
        # A directive, a list, a line below a heading, or a quotation.
        text = f"\\{text}"
    return f"{indentation}{text}"


def setup(app: Sphinx) -> None:
    """Connect the functions of this file."""
    app.connect("autodoc-process-signature", replace_type_variables)
    # Before napoleon, which reads the sections of a docstring: its priority is 500.
    app.connect("autodoc-process-docstring", escape_descriptions, priority=400)
    app.add_config_value("public_name_by_private_name", public_names(), "env")
    app.connect("source-read", replace_links)
    app.connect("include-read", replace_included_links)
    app.connect("missing-reference", resolve_private_name)
