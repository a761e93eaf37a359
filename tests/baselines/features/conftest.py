"""The toy benchmark without films, and an import of files for it."""

import pytest

from baselines.features.feature_folder import FeatureFolder
from baselines.features.feature_import import import_features
from tests.baselines.conftest import imported


@pytest.fixture
def bare_toy(tmp_path):
    return imported(tmp_path)


@pytest.fixture
def take(bare_toy, tmp_path):
    """Import files at one row a second: the folder and the notes."""

    def run(*files, rate=1.0, out="out", **how):
        notes = []
        import_features(files, bare_toy, tmp_path / out, rate=rate, note=notes.append, **how)
        return FeatureFolder(tmp_path / out), notes

    return run
