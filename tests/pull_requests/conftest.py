"""A benchmark without labels, a repository, and how a change is checked, once for all tests."""

import json

import pytest

from harness.benchmark import Benchmark
from harness.pull_requests.change_check import CheckOptions, check_change
from harness.pull_requests.change_report import report_json
from harness.pull_requests.comment import comment
from harness.schemas.documents import mismatches
from tests.pull_requests.trees import BASE, Repository
from tests.validation.samples import write_benchmark


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory):
    return Benchmark(write_benchmark(tmp_path_factory.mktemp("pr") / "benchmark"))


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    return Repository(tmp_path_factory.mktemp("pr") / "bare.git")


@pytest.fixture(scope="session")
def base(repository):
    return repository.commit(BASE)


@pytest.fixture
def checked(benchmark, repository, base):
    """Check a head (paths, or a commit) against the base; the report is sound."""

    def run(head, **settings):
        commit = head if isinstance(head, str) else repository.commit(head, base)
        options = CheckOptions(**{"repository": repository.folder, "author": "gina", **settings})
        report = check_change(base, commit, benchmark, options)
        require_sound(report)
        return report

    return run


def require_sound(report):
    """A report is of the published schema and within its bounds, and so is its comment."""
    document = json.loads(json.dumps(report_json(report)))
    assert list(mismatches("pr_check", document)) == []
    assert len(comment(report).encode()) <= 60_000
    assert len(json.dumps(document)) < 1 << 20
    assert (report.verdict == "refused") == any(f.severity == "error" for f in report.findings)


def codes(report):
    """The codes of a report's errors."""
    return {finding.code for finding in report.findings if finding.severity == "error"}
