"""Verifies on generated and real documents that equivalent ways of writing make no difference."""

import copy
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specdrift import Change, compare

from tests.specdrift.documents import Json, reordered
from tests.specdrift.generated_documents import ANY, CHOICES, documents
from tests.specdrift.real_documents import LoadedDocument
from tests.specdrift.rewrites import ALL_REWRITES, REWRITES, Rewrite, rewritten

DOCUMENTS = documents(ANY)


def _chains(rewrites: list[Rewrite]) -> st.SearchStrategy[list[Rewrite]]:
    return st.lists(st.sampled_from(rewrites), min_size=1, max_size=6)


def verify_that_rewrites_are_silent(
    original: LoadedDocument, rewrites: list[Rewrite], choice: random.Random
) -> None:
    document, files = original.document, original.files
    target = rewritten(document, rewrites, choice, files)
    changes = compare(document, target.document, base_files=files, revision_files=target.files)
    assert changes == []
    changes_in_reverse = compare(
        target.document, document, base_files=target.files, revision_files=files
    )
    assert changes_in_reverse == []


@settings(max_examples=20)
@given(DOCUMENTS)
def test_a_reordered_or_wrapped_document_has_no_changes(document: Json) -> None:
    assert compare(document, json.loads(json.dumps(document))) == []
    assert compare(document, reordered(document)) == []
    wrapped = copy.deepcopy(document)
    body = wrapped["paths"]["/pets/{id}"]["put"]["requestBody"]["content"]["application/json"]
    wrapped["components"]["schemas"]["Body"] = body["schema"]
    body["schema"] = {"allOf": [{"$ref": "#/components/schemas/Body"}]}
    assert compare(document, wrapped) == []


@settings(max_examples=40)
@given(DOCUMENTS, DOCUMENTS)
def test_a_difference_is_reported_in_both_directions(base: Json, revision: Json) -> None:
    assert bool(compare(base, revision)) == bool(compare(revision, base))


@pytest.mark.parametrize("rewrite", ALL_REWRITES, ids=lambda rewrite: rewrite.__name__)
@settings(max_examples=6)
@given(document=DOCUMENTS, choice=CHOICES)
def test_an_equivalent_rewrite_has_no_changes(
    rewrite: Rewrite, document: Json, choice: random.Random
) -> None:
    verify_that_rewrites_are_silent(LoadedDocument(document), [rewrite], choice)


@settings(max_examples=40)
@given(DOCUMENTS, _chains(ALL_REWRITES), CHOICES)
def test_combined_equivalent_rewrites_have_no_changes(
    document: Json, rewrites: list[Rewrite], choice: random.Random
) -> None:
    verify_that_rewrites_are_silent(LoadedDocument(document), rewrites, choice)


@pytest.mark.parametrize("rewrite", ALL_REWRITES, ids=lambda rewrite: rewrite.__name__)
@settings(max_examples=1)
@given(choice=CHOICES)
def test_an_equivalent_rewrite_of_a_real_document_has_no_changes(
    rewrite: Rewrite, real_document: LoadedDocument, choice: random.Random
) -> None:
    verify_that_rewrites_are_silent(real_document, [rewrite], choice)


@settings(max_examples=8)
@given(rewrites=_chains(ALL_REWRITES), choice=CHOICES)
def test_combined_rewrites_of_a_real_document_have_no_changes(
    real_document: LoadedDocument, rewrites: list[Rewrite], choice: random.Random
) -> None:
    verify_that_rewrites_are_silent(real_document, rewrites, choice)


def _without_all_of(changes: list[Change]) -> set[tuple[str, str, str]]:
    """Return the changes except those of `allOf`, which depend on the way of writing."""
    return {
        (change.id, change.operation, change.level)
        for change in changes
        if "-all-of-" not in change.id
    }


@settings(max_examples=40)
@given(DOCUMENTS, DOCUMENTS, _chains(REWRITES), CHOICES)
def test_changes_do_not_depend_on_equivalent_rewrites(
    base: Json, revision: Json, rewrites: list[Rewrite], choice: random.Random
) -> None:
    target = rewritten(revision, rewrites, choice)
    changes = compare(base, target.document, revision_files=target.files)
    assert _without_all_of(changes) == _without_all_of(compare(base, revision))
    changes_in_reverse = compare(target.document, base, base_files=target.files)
    assert _without_all_of(changes_in_reverse) == _without_all_of(compare(revision, base))
