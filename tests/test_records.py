"""The limits of an answer, and the schema of prediction lines that people validate with."""

import json
from importlib.resources import files

from harness.metrics import METRICS
from harness.records import ABSENT_RANK, CANDIDATES, MOMENT_LIMIT, RANK_LIMIT


def test_the_published_schema_states_the_limits():
    schema = json.loads(files("harness.schemas").joinpath("prediction.json").read_bytes())
    limits = {name: part.get("maxItems") for name, part in schema["properties"].items()}
    assert limits["videos"] == RANK_LIMIT
    assert limits["moments"] == MOMENT_LIMIT
    assert limits["choice"] == CANDIDATES


def test_the_metrics_over_whole_rankings_name_the_limit():
    assert ABSENT_RANK == RANK_LIMIT + 1
    assert {f"R@{RANK_LIMIT}", f"BRI@{RANK_LIMIT}"} <= set(METRICS)
    assert METRICS["MedR"].high == RANK_LIMIT
    assert METRICS["MedR"].abstention == ABSENT_RANK
