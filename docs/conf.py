"""Configures Sphinx, which builds the site from the Markdown that GitHub also shows."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The packages of this checkout, also where another version is installed.
sys.path[:0] = [str(ROOT / "overrides"), str(ROOT / "tools")]

project = "leadconnector"
html_title = "leadconnector"
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "project.sphinx_site",
]

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
    ("py:.*", r"(collections|contextlib|datetime|enum|os|pathlib|ssl|typing)\..*"),
    ("py:.*", r"(httpx|redis)\..*"),
    ("py:class", r"(bool|bytes|dict|float|int|list|object|str|tuple|type|None)"),
    ("py:exc", r"(ImportError|OSError|TypeError|ValueError)"),
    # Types of the signatures that users need not name. The text below a signature describes them.
    ("py:class", r"leadconnector\._runtime\.protocols\.(TokenSource|Tracing)"),
    ("py:class", r"leadconnector\._options\.Options"),
    ("py:class", r"leadconnector\._runtime\.secrets\.Token"),
    ("py:class", r"leadconnector\.rate_limit\.redis_script\.RedisClient"),
    ("py:class", r"leadconnector\.tracing\.TracerProvider"),
    ("py:class", r"leadconnector\._generated\.(Async)?Session"),
    ("py:class", r"leadconnector_emulator\.redaction\.Redaction"),
    ("py:class", r"leadconnector\._generated\.types\.(RequestOptions|T)"),
    # The union of `WebhookEvent` and the models of events.
    ("py:class", r"Event"),
]
suppress_warnings = [
    # README has its own title. The pages here include parts of it.
    "myst.header",
    # Two packages have a `Finding`. The annotations of `Exchange` contain a name that only type
    # checkers import, so Sphinx does not know which one it names.
    "ref.python",
]
