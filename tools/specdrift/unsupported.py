"""Explains options and subcommands of oasdiff that specdrift does not have.

Whoever changes from oasdiff reads what to use instead, not only that an option is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

_ALWAYS = "leave it out, because specdrift always does that"
_ROOTS = "use --root PLACE to allow references outside the document's folder"
_NO_REVIEW = "use --write html=FILE, because specdrift uploads nothing"

_OPTIONS = {
    "--allow-external-refs": _ROOTS,
    "--attributes": "read the extensions in the document, at the pointers of `--format json`",
    "--auto-upgrade": _ALWAYS,
    "--case-insensitive-headers": _ALWAYS,
    "--config": "write the options on the command line",
    "--err-ignore": "use --waivers FILE for single changes, or --severity-levels FILE for a check",
    "--exclude-elements": "use --severity-levels FILE with `CHECK: none`, and `specdrift checks`",
    "--exclude-extensions": "leave it out, because specdrift does not compare extensions",
    "--fail-on-diff": "use --fail-on INFO, or the subcommand `diff`, which fails on differences",
    "--fetch": "run `git fetch` before",
    "--filter-extension": "use --match-path or --unmatch-path to select paths by name",
    "--flatten": _ALWAYS,
    "--flatten-allof": _ALWAYS,
    "--flatten-params": _ALWAYS,
    "--include-checks": "use --severity-levels FILE, because specdrift always includes every check",
    "--include-path-params": (
        "leave it out: names of path parameters do not matter, because no request shows them"
    ),
    "--lang": "leave it out, because reports are in English only",
    "--match-inline-refs": _ALWAYS,
    "--max-circular-dep": "leave it out, because specdrift follows every circle once",
    "--open": _NO_REVIEW,
    "--review-meta": _NO_REVIEW,
    "--review-token": _NO_REVIEW,
    "--template": "convert the output of `--format json`",
    "--warn-ignore": "use --waivers FILE for single changes, or --severity-levels FILE for a check",
}

_SHORT_OPTIONS = {
    "-e": "--exclude-elements",
    "-i": "--include-checks",
    "-l": "--lang",
}

_SUBCOMMANDS = {
    "flatten": "comparisons flatten `allOf` themselves",
    "git-diff-driver": "name the documents as REVISION:PATH",
    "schema": "report.schema.json is installed beside the module specdrift.report",
    "summary": "use `specdrift diff --format json`, or the counts in `specdrift --format json`",
    "upgrade": "comparisons of OpenAPI 3.0 and 3.1 documents upgrade them themselves",
    "validate": "use a validator; specdrift compares documents that are not valid too",
}


def unsupported_option(arguments: Sequence[str]) -> str | None:
    """Describe the first option of oasdiff that specdrift does not have; None without any."""
    for argument in arguments:
        if argument == "--":
            return None
        name = argument.partition("=")[0]
        option = _SHORT_OPTIONS.get(name, name)
        if option in _OPTIONS:
            return f"{name} is an option of oasdiff, not of specdrift: {_OPTIONS[option]}"
    return None


def unsupported_subcommand(word: str) -> str | None:
    """Describe a subcommand of oasdiff that specdrift does not have; None for another word."""
    if word not in _SUBCOMMANDS:
        return None
    return (
        f"{word} is a subcommand of oasdiff, not of specdrift: {_SUBCOMMANDS[word]}."
        f" Write ./{word} for a file"
    )
