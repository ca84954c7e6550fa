"""Writes the pages about the generated client, or checks that they are up to date."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .client import ClientError, read_client
from .pages import index_page, reference_page

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` only report whether they are up to date.

    Returns:
        Exit status 0. 1 if the client cannot be read, a page cannot be written, or `--check` found
        a difference.
    """
    parser = argparse.ArgumentParser(prog="api_index", description="Write docs/api.md.")
    parser.add_argument("--check", action="store_true", help="change no file")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder with generated/, docs/")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        pages = outdated_pages(root)
        if not options.check:
            write_pages(pages)
    except (ClientError, OSError) as error:
        print(f"api_index: {error}", file=sys.stderr)
        return 1
    if options.check and pages:
        names = " and ".join(str(page.relative_to(root)) for page in pages)
        print(f"api_index: {names} must be written again: run `make generate`", file=sys.stderr)
        return 1
    return 0


def outdated_pages(root: Path) -> Mapping[Path, str]:
    """The pages whose text differs from the generated client, with their new text.

    Raises:
        ClientError: the generated client cannot be read.
        OSError: a page cannot be read.
    """
    client = read_client(root / "generated")
    pages = {
        root / "docs" / "api.md": index_page(client),
        root / "docs" / "reference" / "resources.rst": reference_page(client),
    }
    return {path: text for path, text in pages.items() if _current_text(path) != text}


def write_pages(pages: Mapping[Path, str]) -> None:
    """Write pages. Each one is replaced as a whole.

    Raises:
        OSError: a page cannot be written. The former page stays.
    """
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        new_file = path.with_name(f".{path.name}.new")
        try:
            new_file.write_text(text, encoding="utf-8")
            os.replace(new_file, path)
        finally:
            new_file.unlink(missing_ok=True)


def _current_text(path: Path) -> str | None:
    """The text of a page; `None` if there is none, or if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


if __name__ == "__main__":
    sys.exit(main())
