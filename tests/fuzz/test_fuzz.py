"""A short run of the fuzzer, and whatever it once found."""

from tests.fuzz.validation import SHARES, fuzz


def test_no_input_ends_in_anything_but_a_report(tmp_path):
    fuzzer = fuzz(tmp_path, inputs=1000, seed=20251201)
    assert set(fuzzer.counts) == set(SHARES)
    assert fuzzer.counts.total() >= 1000
