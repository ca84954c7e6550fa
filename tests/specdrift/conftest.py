"""Fixtures of the tests of specdrift."""

import pytest

from tests.specdrift.real_documents import LoadedDocument, document_paths, load_document


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the fixture `real_document` for the spec, or for each selected document."""
    if "real_document" in metafunc.fixturenames:
        paths = document_paths(metafunc.config.getoption("--documents"))
        names = [path.stem for path in paths]
        metafunc.parametrize("real_document", paths, ids=names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def real_document(request: pytest.FixtureRequest) -> LoadedDocument:
    """Return a document that was written by hand or published."""
    return load_document(request.param)
