"""The field that the tests of probes look at, without runs."""

import pytest

from harness.probes.runs import empty_field
from tests.comparison.worlds import world
from tests.probes.worlds import DIALOGUES


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return world(tmp_path_factory.mktemp("bench"), *DIALOGUES)


@pytest.fixture(scope="session")
def field(bench):
    return empty_field(bench)
