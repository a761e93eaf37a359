"""What the library `mlcroissant` reads of a description, in a process of its own.

It imports pandas and warns of its own libraries, which are none of the project's.
"""

import importlib.util
import json
import subprocess
import sys

import pytest

READER = """
import json, logging, sys
import mlcroissant
from mlcroissant._src.core import context

class Lines(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())

lines = []
logging.getLogger("absl").addHandler(Lines(logging.WARNING))
data = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = data.metadata.ctx.issues

def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.item() if hasattr(value, "item") else value

found = {
    "version": str(data.metadata.ctx.conforms_to.value),
    "issues": [*issues.errors, *issues.warnings, *lines],
    "records": {each.uuid: [plain(row) for row in data.records(each.uuid)]
                for each in data.metadata.record_sets},
}
print(json.dumps(found))
"""


def read(path):
    """The version, issues and records (by record set) of the description in a file."""
    if importlib.util.find_spec("mlcroissant") is None:
        pytest.skip("needs mlcroissant, which the extra `dev` has")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READER, path],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
