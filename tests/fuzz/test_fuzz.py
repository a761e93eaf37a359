"""Runs of the fuzzer, a short and a long one, and whatever it once found."""

import pytest

from tests.fuzz.validation import SHARES, fuzz


def test_no_input_ends_in_anything_but_a_report(tmp_path):
    fuzzer = fuzz(tmp_path, inputs=1000, seed=20251201)
    assert set(fuzzer.counts) == set(SHARES)
    assert fuzzer.counts.total() >= 1000


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_further_inputs_end_in_a_report(tmp_path, seed):
    assert fuzz(tmp_path, inputs=10_000, seed=seed).counts.total() >= 10_000
