"""Honest runs on a benchmark: systems that search its text, and simulated ones.

Systems of one family are related; runs of one system differ in their seed alone. Simulated systems
find the same turns hard and the same wrong videos likely.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.tokenization import join_fields, tokenize
from harness.probes.runs import Field, ProbedRun

Floats = NDArray[np.float64]
SEED = 20251201
DEPTH = 100
CONTEXTS = {"last": 0.0, "decayed": 0.5, "all": 1.0}


class Honest(NamedTuple):
    """A run, the family of its system, and the system without its seed."""

    run: ProbedRun
    family: str
    system: str


def ranked(scores: Floats) -> NDArray[np.int32]:
    """The 100 best of (turns, corpus), ties and what has no score (-inf) as baselines do."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    found = np.where(np.isfinite(np.take_along_axis(scores, order, axis=1)), order, -1)
    wide = np.full((len(scores), DEPTH), -1, dtype=np.int32)
    wide[:, : found.shape[1]] = found
    return wide


def run(name: str, scores: Floats, moment: NDArray[np.int64] | None = None) -> ProbedRun:
    """A run of a team of its own."""
    none = np.full((len(scores), 3), -1, dtype=np.int64)
    return ProbedRun(
        f"{name}/run", name, ranked(scores), none if moment is None else moment, none[:, 0]
    )


def counts(texts: list[list[str]], known: dict[str, int]) -> Floats:
    """Tokens by text, (texts, tokens)."""
    table = np.zeros((len(texts), len(known)))
    for row, tokens in enumerate(texts):
        for token in tokens:
            if token in known:
                table[row, known[token]] += 1
    return table


def trigrams(text: str) -> list[str]:
    """Three characters each."""
    return [text[at : at + 3].lower() for at in range(len(text) - 2)]


class Text(NamedTuple):
    """Token counts of the corpus, (corpus, tokens), and of the queries, (turns, tokens)."""

    corpus: Floats
    queries: Floats


def texts(field: Field, tokens, fields: tuple[str, ...], weight: float) -> Text:
    """One view of a benchmark's text; an utterance a turn back counts `weight`."""
    videos = field.benchmark.videos
    kept = [
        {name: text for name, text in videos[video].text.items() if name.startswith(fields)}
        for video in field.split.corpus
    ]
    documents = [tokens(join_fields(text)) for text in kept]
    known: dict[str, int] = {}
    for document in documents:
        for token in document:
            known.setdefault(token, len(known))
    own = counts([tokens(turn.utterance) for turn in field.split.turns], known)
    queries = own.copy()
    for row, turn in enumerate(field.split.turns):
        if turn.turn > 1 and weight:
            queries[row] += weight * queries[row - 1]
    return Text(counts(documents, known), queries)


def bm25(text: Text, k1: float, b: float) -> Floats:
    """Scores (turns, corpus)."""
    length = text.corpus.sum(axis=1, keepdims=True)
    frequency = text.corpus / (text.corpus + k1 * (1 - b + b * length / length.mean()))
    return text.queries @ ((k1 + 1) * frequency * rarity(text)).T


def rarity(text: Text) -> Floats:
    """Inverse document frequency, (tokens,)."""
    held = (text.corpus > 0).sum(axis=0)
    return np.log(1 + (len(text.corpus) - held + 0.5) / (held + 0.5))


def cosine(text: Text, exponent: float) -> Floats:
    """TF-IDF, the query not normalised; `exponent` of 0 takes presence alone."""
    table = np.sign(text.corpus) * text.corpus**exponent * rarity(text)
    return text.queries @ (table / np.linalg.norm(table, axis=1, keepdims=True)).T


def likelihood(text: Text, mu: float) -> Floats:
    """Query likelihood with Dirichlet smoothing."""
    background = text.corpus.sum(axis=0) / text.corpus.sum()
    length = text.corpus.sum(axis=1, keepdims=True)
    return text.queries @ np.log((text.corpus + mu * background) / (length + mu)).T


def latent(text: Text, size: int) -> Floats:
    """Latent semantic indexing."""
    weights = rarity(text)
    basis = np.linalg.svd(text.corpus * weights, full_matrices=False)[2][:size]
    return _near(text.corpus * weights @ basis.T, text.queries * weights @ basis.T)


def projected(text: Text, size: int, seed: int) -> Floats:
    """Random indexing: a dense encoder whose seed matters."""
    basis = np.random.default_rng([SEED, seed]).standard_normal((text.corpus.shape[1], size))
    weights = rarity(text)
    return _near(text.corpus * weights @ basis, text.queries * weights @ basis)


def _near(one: Floats, other: Floats) -> Floats:
    lengths = np.linalg.norm(other, axis=1, keepdims=True), np.linalg.norm(one, axis=1)
    return other @ one.T / np.maximum(lengths[0], 1e-12) / np.maximum(lengths[1], 1e-12)


def lexical(field: Field) -> Iterator[tuple[str, str, Floats]]:
    """Kind, system and scores of systems that search the text."""
    for fields in (("transcript", "title"), ("transcript",)):
        for context, weight in CONTEXTS.items():
            words = texts(field, tokenize, fields, weight)
            grams = texts(field, trigrams, fields, weight)
            where = f"{context}-{'-'.join(fields)}"
            for k1, b in ((2.0, 0.9), (0.9, 0.4), (1.2, 0.0)):
                scores = bm25(words, k1, b)
                yield "bm25", f"bm25-{k1}-{b}-{where}", np.where(scores > 0, scores, -np.inf)
            yield "bm25", f"bm25-grams-{where}", bm25(grams, 1.2, 0.75)
            for exponent in (1.0, 0.5, 0.0):
                yield "cosine", f"cosine-{exponent}-{where}", cosine(words, exponent)
            yield "cosine", f"cosine-grams-{where}", cosine(grams, 0.5)
            for mu in (20.0, 200.0):
                yield "likelihood", f"likelihood-{mu}-{where}", likelihood(words, mu)
            for size in (20, 60):
                yield "latent", f"latent-{size}-{where}", latent(words, size)


def dense(field: Field, seeds: int) -> Iterator[tuple[str, str, Floats]]:
    """Random indexing, seed by seed: kind, system and scores."""
    for size in (50, 200):
        text = texts(field, tokenize, ("transcript", "title"), 0.5)
        for seed in range(seeds):
            yield "dense", f"dense-{size}", projected(text, size, seed)


def hybrids(made: list[tuple[str, str, Floats]]) -> Iterator[tuple[str, str, Floats]]:
    """Reciprocal rank fusion of systems of two kinds."""
    first = {family: (name, scores) for family, name, scores in reversed(made)}
    for (one, (_, left)), (other, (_, right)) in combinations(sorted(first.items()), 2):
        fused = sum(
            1 / (60 + np.argsort(np.argsort(-each, axis=1), axis=1)) for each in (left, right)
        )
        yield "hybrid", f"hybrid-{one}-{other}", np.asarray(fused)


def simulated(field: Field, number: int) -> Iterator[Honest]:
    """Systems with a latent score for each turn and video.

    It is the ability times "is the gold", plus what all find alike (half of the variance at most),
    plus what the family finds alike (8 families), plus the system's own.
    """
    rng = np.random.default_rng(SEED)
    turns, corpus = len(field.gold), len(field.split.corpus)
    gold = field.target[:, :1] == np.arange(corpus)
    common = rng.standard_normal((turns, corpus))
    kin = rng.standard_normal((8, turns, corpus))
    hard = rng.standard_normal((turns, 1))
    for at in range(number):
        family = at % 8
        shared, related = rng.uniform(0.1, 0.5), rng.uniform(0.0, 0.3)
        own = rng.standard_normal((turns, corpus))
        parts = (shared, related, 1 - shared - related)
        noise = sum(np.sqrt(p) * z for p, z in zip(parts, (common, kin[family], own), strict=True))
        scores = noise + gold * (rng.uniform(0.5, 5.0) - hard)
        moment = _moments(field, rng, ranked(scores)[:, 0])
        name = f"simulated-{at:03}"
        yield Honest(run(name, scores, moment), f"simulated-{family}", name)


def _moments(field: Field, rng: np.random.Generator, first: NDArray[np.int32]) -> NDArray[np.int64]:
    """A sixth of the video each, as all segment it, with bounds that are the system's own."""
    video = np.where(field.target[:, 0] >= 0, field.target[:, 0], first).astype(np.int64)
    length = np.maximum(field.durations[video], 6000)
    step = length // 6
    start = rng.choice(6, len(video), p=[0.3, 0.25, 0.15, 0.1, 0.1, 0.1]) * step
    bounds = np.stack([start, start + step], axis=1) + rng.integers(-300, 300, (len(video), 2))
    bounds[:, 0] = np.maximum(bounds[:, 0], 0)
    return np.column_stack([video, bounds])


def floors(field: Field) -> Iterator[Honest]:
    """Systems that read nothing: random order, by turn and for the whole split."""
    turns, corpus = len(field.gold), len(field.split.corpus)
    for seed in range(6):
        rng = np.random.default_rng([SEED, seed])
        yield Honest(run(f"random-{seed}", rng.random((turns, corpus))), "random", "random")
        fixed = np.tile(rng.random(corpus), (turns, 1))
        yield Honest(run(f"fixed-{seed}", fixed), "fixed", f"fixed-{seed}")


def honest_runs(field: Field, number: int = 80, seeds: int = 8) -> list[Honest]:
    """All of them; what searches the text is one family."""
    made = list(lexical(field))
    made += [*hybrids(made), *dense(field, seeds)]
    found = [
        Honest(run(f"{name}#{at}", scores), "text", name)
        for at, (_, name, scores) in enumerate(made)
    ]
    return [*found, *simulated(field, number), *floors(field)]
