"""Planted bugs of the runner, its journals and its cards.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

RUNNER = ("tests/baselines/running/test_runner.py",)
JOURNAL = ("tests/baselines/running/test_journal.py", "tests/baselines/running/test_costs.py")
SHARDS = ("tests/baselines/running/test_parallel.py",)
RUNNING = (
    (
        "the gold video of a video turn is shown with the turn",
        "baselines/running/views.py",
        'given = self.history == "reference" and turn.task == "moment"',
        'given = self.history == "reference"',
        RUNNER,
    ),
    (
        "candidates are shown to a baseline that uses none",
        "baselines/running/views.py",
        'split.candidates if candidates == "used" else {}',
        "split.candidates",
        RUNNER,
    ),
    (
        "own history names the last video instead of the first",
        "baselines/running/views.py",
        "return prediction.moments[0].video_id",
        "return prediction.moments[-1].video_id",
        RUNNER,
    ),
    (
        "a missing choice becomes a missing answer",
        "baselines/running/runner.py",
        'if turn.task == "video" and answer.videos is None and choice is None:',
        'if turn.task == "chat" and answer.videos is None and choice is None:',
        RUNNER,
    ),
    (
        "an error of one's own code names the batch's first turn",
        "baselines/running/own_code.py",
        'return f", at turn {turn_name(next(iter(keys.values())))}"',
        'return f", at turn {turn_name(queries[0])}"',
        ("tests/baselines/test_own_code_errors.py",),
    ),
    (
        "labels of train reach every member",
        "baselines/running/composition.py",
        "view.training if part.reads_train_labels else None",
        "view.training",
        ("tests/baselines/localisers/test_pipeline.py",),
    ),
    (
        "the usage of resumed batches is not restored",
        "baselines/running/runner.py",
        "if earlier := journal.usage - before:",
        "if earlier := before - before:",
        JOURNAL,
    ),
    (
        "a journal of another run is gone on with",
        "baselines/running/journal.py",
        "        elif first != header:\n",
        "        elif not first:\n",
        JOURNAL,
    ),
    (
        "half a line counts as an answered batch",
        "baselines/running/journal.py",
        'found = _DECODER.decode(line) if line.endswith(b"\\n") else None',
        "found = _DECODER.decode(line) if line else None",
        JOURNAL,
    ),
    (
        "answers of other turns are taken from a journal",
        "baselines/running/journal.py",
        "if batch is None or [prediction.key for prediction in batch] != keys:",
        "if batch is None:",
        JOURNAL,
    ),
    (
        "the run's key forgets the number of processes",
        "baselines/running/runner.py",
        'order = {"portion": PORTION, "batch": BATCH, "processes": processes}',
        'order = {"portion": PORTION, "batch": BATCH}',
        (*RUNNER, *SHARDS),
    ),
    (
        "the hash of the code covers one folder alone",
        "baselines/provenance/code_hash.py",
        'place.rglob("*.py")',
        'place.glob("*.py")',
        RUNNER,
    ),
)
