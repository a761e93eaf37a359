"""How much damage is noticed: copies of a benchmark's videos with four flipped bytes each.

    python -m tests.bench.damage BENCHMARK [--copies N] [--seed N]

Each copy is sampled as in a run. "Unnoticed" are copies that are taken although pixels differ. Then
all videos are sampled as they are: none may be refused.
"""

import argparse
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from baselines.video.containers import BadVideoError
from baselines.video.sampling import Sampler, sample
from baselines.video.video_files import locate_files
from harness.benchmark import Benchmark

EVERY = Sampler(8, 96)
FLIPPED = 4


def judged(path, whole):
    """What becomes of a copy of the video `whole`."""
    try:
        frames = sample(path, EVERY)
    except BadVideoError as error:
        return f"refused: {error.reason.partition(':')[0]}"
    same = frames.pixels.tobytes() == sample(whole, EVERY).pixels.tobytes()
    return "taken, the same pixels" if same else "unnoticed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--copies", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    benchmark = Benchmark(options.benchmark)
    found, _ = locate_files(benchmark.videos, benchmark.folder)
    paths, draw, results = list(found.values()), np.random.default_rng(options.seed), Counter()
    with TemporaryDirectory() as folder:
        for _ in range(options.copies):
            whole = paths[draw.integers(len(paths))]
            data = np.frombuffer(whole.read_bytes(), np.uint8).copy()
            at = draw.choice(len(data), FLIPPED, replace=False)
            data[at] ^= draw.integers(1, 256, FLIPPED, np.uint8)
            copy = Path(folder) / whole.name
            copy.write_bytes(data.tobytes())
            results[judged(copy, whole)] += 1
    print(f"{options.copies} copies with {FLIPPED} flipped bytes")
    for what, number in sorted(results.items()):
        print(f"{number:>6}  {what}")
    refused = sum(judged(path, path).startswith("refused") for path in paths)
    print(f"{refused:>6}  of {len(paths)} videos refused as they are")


if __name__ == "__main__":
    main()
