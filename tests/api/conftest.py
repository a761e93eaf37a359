"""The small benchmark of the baselines' tests, opened by the API."""

import pytest

import harness as ivcr
from tests.baselines.conftest import imported


@pytest.fixture(scope="session")
def _toy(tmp_path_factory):
    return imported(tmp_path_factory.mktemp("api")).folder


@pytest.fixture
def benchmark(_toy):
    return ivcr.open(_toy)


@pytest.fixture
def named():
    """What a submission has to say of itself."""
    return {"team": "A lab", "system": "A system"}


def valid(query):
    """An answer that is right in form to any turn."""
    return {"video": [], "moment": [], "chat": ""}[query.task]


@pytest.fixture
def ivcr_command(ivcr):
    """The command `ivcr`, beside the module of that name."""
    return ivcr
