"""Localisers that are trained on annotated events."""

import pytest

from tests.baselines.conftest import imported
from tests.baselines.ready import scripted


@pytest.fixture(scope="session")
def by_events(tmp_path_factory):
    """By name the settings with which a localiser runs on the toy benchmark, made once."""
    made = {}

    def settings(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(f"{name}_events")
            benchmark = imported(folder, filmed=True)
            made[name] = scripted(name, folder / "made", benchmark, ["reader=events"])
        return list(made[name])

    return settings
