"""The page that lists features: this client has each, and each one of another has a source."""

from __future__ import annotations

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "features.md"
HEADER = "| feature | leadconnector |"


def tables() -> list[dict[str, list[str]]]:
    """The tables of features: the cells of each row by the feature."""
    listed: list[dict[str, list[str]]] = []
    is_in_table = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith(HEADER):
            is_in_table = True
            listed.append({})
        elif not line.startswith("|"):
            is_in_table = False
        elif is_in_table and not line.startswith("|--"):
            feature, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            listed[-1][feature] = cells
    return listed


def test_this_client_has_each_feature() -> None:
    features, _ = tables()
    assert len(features) == 8
    assert {cells[0] for cells in features.values()} == {"yes"}


def test_each_feature_of_a_client_has_a_source_and_no_other() -> None:
    features, sources = tables()
    assert features.keys() == sources.keys()
    for feature, cells in features.items():
        assert [cell != "no" for cell in cells] == [bool(cell) for cell in sources[feature]]
