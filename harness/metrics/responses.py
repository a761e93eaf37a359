"""Metrics of free-text responses: BLEU-4 and chrF at corpus level, from counts of each turn.

As sacreBLEU computes them (Post, WMT 2018), over the turns with a reference answer, one language at
a time; a missing response is the empty string. sacrebleu itself is imported only for its signature,
where a response was given; tests hold the counts to its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.metrics.metric import Column
from harness.metrics.ngrams import TOKENS, matches, ngrams
from harness.outcomes import Floats, Outcomes

NO_RESPONSE = "no line of the submission has a `response` that is not empty"
TOKENISER = {"en": "13a", "zh": "zh"}
WORDS = 4  # orders of word n-grams in BLEU-4
ORDERS = 6  # of character n-grams in chrF
BETA = 2  # recall counts twice as much as precision: chrF2
COUNTS = 10  # of BLEU-4: lengths of response and reference; matches, n-grams of orders 1 to 4


def bleu_counts(outcomes: Outcomes) -> Column:
    """Table (10 + languages, turns): what BLEU-4 sums, then one row a language to tell them apart.

    Rows: length of the response, of the reference; matching n-grams, n-grams of the response, each
    for n = 1 to 4.
    """
    if not outcomes.gives_response:
        return _column(outcomes, np.zeros((COUNTS, len(outcomes.response))))
    table = np.zeros((COUNTS, len(outcomes.response)))
    for row, language, response, reference in _texts(outcomes):
        tokens = TOKENS[TOKENISER[language]]
        given, wanted = tokens(response), tokens(reference)
        met = matches(given, wanted, WORDS)
        grams = (ngrams(given, n) for n in range(1, WORDS + 1))
        table[:, row] = len(given), len(wanted), *met, *grams
    return _column(outcomes, table)


def bleu(sums: Floats) -> Any:
    """BLEU-4 in points of the sums of `bleu_counts`, (12, ...) to (...). Papineni et al., ACL 2002.

    100 times the brevity penalty and the geometric mean of the four precisions. The k-th order
    without a match counts as 2^-k matches, as sacreBLEU smooths by default ("exp"); 0 if there is
    no match at all, or no n-gram of some order.
    """
    # A derivative is taken by small steps: a count that is none must not become a fraction of one.
    counts = np.where(sums[:COUNTS] < 0.5, 0.0, sums[:COUNTS])
    given, wanted, met, grams = counts[0], counts[1], counts[2:6], counts[6:]
    some = (grams > 0).all(axis=0) & (met > 0).any(axis=0)
    smoothed = np.where(met > 0, met, 0.5 ** np.cumsum(met == 0, axis=0))
    precision = np.exp(np.log(smoothed / np.where(grams > 0, grams, 1.0)).mean(axis=0))
    penalty = np.exp(np.minimum(0.0, 1 - wanted / np.where(given > 0, given, 1.0)))
    return np.where(some, 100 * penalty * precision, 0.0)


def chrf_counts(outcomes: Outcomes) -> Column:
    """Table (18 + languages, turns): character n-grams of response, of reference, in both.

    Each for n = 1 to 6, white space left out; then one row a language to tell them apart.
    """
    if not outcomes.gives_response:
        return _column(outcomes, np.zeros((3 * ORDERS, len(outcomes.response))))
    table = np.zeros((3, ORDERS, len(outcomes.response)))
    for row, _, response, reference in _texts(outcomes):
        given, wanted = "".join(response.split()), "".join(reference.split())
        for order, met in enumerate(matches(given, wanted, ORDERS)):
            theirs, ours = ngrams(given, order + 1), ngrams(wanted, order + 1)
            # n-grams of a length that the reference does not have are not held against a response.
            table[:, order, row] = theirs if ours else 0, ours, met
    return _column(outcomes, table.reshape(3 * ORDERS, -1))


def chrf(sums: Floats) -> Any:
    """chrF2 in points of the sums of `chrf_counts`, (20, ...) to (...). Popović, WMT 2015.

    F_2 of precision and recall, each the mean over the n for which both texts have n-grams.
    """
    given, wanted, met = sums[: 3 * ORDERS].reshape(3, ORDERS, *sums.shape[1:])
    both = (given > 0.5) & (wanted > 0.5)
    orders = np.maximum(both.sum(axis=0), 1)
    precision, recall = (
        np.where(both, met / np.where(both, whole, 1.0), 0.0).sum(axis=0) / orders
        for whole in (given, wanted)
    )
    below = BETA**2 * precision + recall
    some = below > 0
    return 100 * (1 + BETA**2) * precision * recall / np.where(some, below, 1.0)


def of_one_language(sums: Floats) -> float:
    """The turns behind a figure; none where there are turns of two languages."""
    turns = sums[-len(TOKENISER) :]
    return float(turns.sum()) if np.count_nonzero(turns) == 1 else 0.0


def bleu_signature(outcomes: Outcomes) -> tuple[str, ...]:
    """sacreBLEU's own signature of BLEU for each language that occurs."""
    from sacrebleu.metrics.bleu import BLEU

    if not outcomes.gives_response:
        return ()
    return tuple(
        f"BLEU-4[{name}]:{_signature(BLEU(tokenize=TOKENISER[name]))}"
        for name in sorted(outcomes.frame.languages)
    )


def chrf_signature(outcomes: Outcomes) -> tuple[str, ...]:
    """sacreBLEU's own signature of chrF."""
    from sacrebleu.metrics.chrf import CHRF

    return (f"chrF:{_signature(CHRF())}",) if outcomes.gives_response else ()


def _signature(scorer: Any) -> str:
    scorer.corpus_score(["-"], [["-"]])  # the number of references is known only after a score
    return str(scorer.get_signature()).replace("|", ",")


def _texts(outcomes: Outcomes) -> Iterator[tuple[int, str, str, str]]:
    """Row, language, response and reference of each turn that has one."""
    frame = outcomes.frame
    rows = zip(frame.language.tolist(), outcomes.response, outcomes.reference, strict=True)
    for row, (code, response, reference) in enumerate(rows):
        if reference:
            yield row, frame.languages[code], response, reference


def _column(outcomes: Outcomes, table: Floats) -> Column:
    frame = outcomes.frame
    counted = np.array([bool(text) for text in outcomes.reference], dtype=bool)
    spoken = np.array([frame.languages[code] for code in frame.language.tolist()], dtype=object)
    each = np.array([counted & (spoken == name) for name in TOKENISER])
    why = None if outcomes.gives_response else NO_RESPONSE
    return Column(np.concatenate([table, each]), counted, why)
