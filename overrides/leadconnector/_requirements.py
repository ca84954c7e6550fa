"""Names the requirements of the client where one of them is not installed.

`pip install --no-deps` leaves them out, and so does a service that has a copy and does not list
them. The error of Python would name one module, without a version to install.
"""

from __future__ import annotations

from importlib.util import find_spec

REQUIREMENTS = ("attrs>=23.1", "httpx>=0.28,<0.29", "sniffio>=1.3")
"""The requirements in pyproject.toml. A test compares them: a copy has no pyproject.toml."""

_REQUIRED_MODULES = frozenset(
    {
        "attr",
        "attrs",
        "httpx",
        # The requirements of httpx: `pip install httpx` installs them if they are missing.
        "anyio",
        "certifi",
        "h11",
        "httpcore",
        "idna",
    }
)
"""The modules without which the client cannot be imported. It works without sniffio."""


def check_attrs(package: str) -> None:
    """Check that attrs is installed, without importing it.

    The models import it at the first call. A program without it fails at its start instead.

    Args:
        package: the name of this package; see `missing_requirement`.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    if find_spec("attrs") is None:
        error = ModuleNotFoundError("No module named 'attrs'", name="attrs")
        raise missing_requirement(error, package)


def missing_requirement(error: ModuleNotFoundError, package: str) -> ModuleNotFoundError:
    """The error to raise instead of one of Python about a module that is not installed.

    Args:
        error: the error of Python.
        package: the name of this package, which may be a copy in another one.

    Returns:
        An error that names all requirements, or the same one if it is about another module.
    """
    if error.name not in _REQUIRED_MODULES:
        return error
    arguments = " ".join(f"'{requirement}'" for requirement in REQUIREMENTS)
    return ModuleNotFoundError(
        f"{package}: {error.name} is not installed: pip install {arguments}", name=error.name
    )
