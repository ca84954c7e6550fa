"""Verifies that edits that break clients are errors, wherever a document has them."""

import json
import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from specdrift import compare

from tests.specdrift.breaking_edits import BREAKING_EDITS, Edit
from tests.specdrift.documents import Json
from tests.specdrift.generated_documents import CHOICES, ORDINARY, documents
from tests.specdrift.real_documents import LoadedDocument


@pytest.mark.parametrize("edit", BREAKING_EDITS, ids=lambda edit: edit.__name__)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents(ORDINARY), choice=CHOICES)
def test_a_breaking_edit_is_an_error_of_an_operation_that_reaches_its_place(
    edit: Edit, document: Json, choice: random.Random
) -> None:
    verify_that_an_edit_is_an_error(edit, LoadedDocument(document), choice)


@pytest.mark.parametrize("edit", BREAKING_EDITS, ids=lambda edit: edit.__name__)
@settings(max_examples=2)
@given(choice=CHOICES)
def test_a_breaking_edit_of_a_real_document_is_an_error(
    edit: Edit, real_document: LoadedDocument, choice: random.Random
) -> None:
    # Not every document has a place for every edit.
    revision = json.loads(json.dumps(real_document.document))
    if edit(revision, choice) is None:
        pytest.skip("the document has no place for this edit")
    verify_that_an_edit_is_an_error(edit, real_document, choice)


def verify_that_an_edit_is_an_error(
    edit: Edit, base: LoadedDocument, choice: random.Random
) -> None:
    # Unlike a deep copy, this shares no schema between two places.
    revision = json.loads(json.dumps(base.document))
    operations = edit(revision, choice)
    assume(operations is not None)
    assert operations
    changes = compare(base.document, revision, base_files=base.files, revision_files=base.files)
    broken = {change.operation for change in changes if change.level == "ERR"}
    # Others can reach the place through a union, or through a schema that another one reaches.
    assert operations <= broken
