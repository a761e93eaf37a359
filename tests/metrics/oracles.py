"""What each metric must be over a whole split, from gold and predictions, by other means than ours.

An oracle takes a `Case` and gives the figure, None where it is undefined.
"""

import math
import statistics
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytrec_eval
from scipy import stats

from .cases import iou, mean


def trec(measure):
    """Mean over video turns by pytrec_eval."""

    def figure(case):
        rows = {str(place): row for place, row in enumerate(case.asks("video"))}
        evaluator = pytrec_eval.RelevanceEvaluator(
            {key: {row.gold.video_id: 1} for key, row in rows.items()}, {measure}
        )
        runs = {key: {name: -float(place) for place, name in enumerate(row.videos)}
                for key, row in rows.items() if row.videos}  # fmt: skip
        found = evaluator.evaluate(runs)
        name = measure.replace(".", "_")
        return mean(found[key][name] if key in found else 0.0 for key in rows)

    return figure


def median_rank(case):
    middle = statistics.median(row.rank or math.inf for row in case.asks("video"))
    return None if math.isinf(middle) else middle


def chosen(row):
    return next(iter(row.given.choice or [v for v in row.videos if v in row.candidates]), None)


def choice(case):
    rows = [row for row in case.asks("video") if row.candidates]
    return mean(chosen(row) == row.gold.video_id for row in rows)


def choice_within(case):
    rows = [row for row in case.asks("video") if row.gold.video_id in row.candidates]
    return mean(chosen(row) == row.gold.video_id for row in rows)


def ahead_of_foil(case):
    """Mann-Whitney's U of one against one: 1, 1/2 for a tie, 0."""

    def place(row, name):
        return [-row.videos.index(name) if name in row.videos else -1000]

    rows = [row for row in case.asks("video") if row.gold.foil]
    return mean(
        stats.mannwhitneyu(place(row, row.gold.video_id), place(row, row.gold.foil)).statistic
        for row in rows
    )


def span_recall(first, tenths):
    def figure(case):
        level = Fraction(tenths, 10)
        return mean(any(iou(row, n) >= level for n in range(first)) for row in case.asks("moment"))

    return figure


def mean_iou(case):
    return mean(iou(row, 0) for row in case.asks("moment"))


def of_texts(scorer):
    """sacrebleu's corpus score; `scorer` by language. None for turns of two languages or none."""

    def figure(case):
        rows = [row for row in case.rows if row.gold.answer]
        languages = {row.turn.language for row in rows}
        if len(languages) != 1 or not any(row.given.response for row in case.rows):
            return None
        given = [row.given.response or "" for row in rows]
        return scorer(*languages).corpus_score(given, [[row.gold.answer for row in rows]]).score

    return figure


def bleu(language):
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize={"en": "13a", "zh": "zh"}[language], force=True)


def chrf(_):
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


def success(case):
    return mean(all(row.right for row in turns) for turns in case.dialogues)


def turns_right(case):
    return mean(Fraction(sum(row.right for row in turns), len(turns)) for turns in case.dialogues)


def lifetimes(case):
    """For each dialogue, the retrieval turn at which it failed or ended, and whether it failed."""
    failures = [[n for n, row in enumerate(turns, 1) if not row.right] for turns in case.dialogues]
    return [
        (found[0] if found else len(turns), bool(found))
        for turns, found in zip(case.dialogues, failures, strict=True)
    ]


def survival_by_scipy(case, t):
    """S@t; None where no dialogue is at risk at t, unless it is 0 already."""
    times = lifetimes(case)
    data = stats.CensoredData(
        uncensored=[time for time, failed in times if failed],
        right=[time for time, failed in times if not failed],
    )
    share = float(stats.ecdf(data).sf.evaluate(t)) if times else None
    return share if share == 0 or max((time for time, _ in times), default=0) >= t else None


def survival(t):
    return lambda case: survival_by_scipy(case, t)


def restricted_mean(case):
    shares = [survival_by_scipy(case, t) for t in range(1, 8)]
    return None if None in shares else sum(shares)


def pairs(case):
    """(before, now) of adjacent retrieval turns."""
    return [(one.right, other.right) for turns in case.dialogues for one, other in pairwise(turns)]


def right_after(before):
    return lambda case: mean(now for was, now in pairs(case) if was == before)


def dependence(case):
    """The slope of the line through right turns on right predecessors."""
    before, now = np.array(pairs(case), dtype=float).reshape(-1, 2).T
    return float(stats.linregress(before, now).slope) if len(set(before.tolist())) == 2 else None


def recovery(case):
    later = []
    for turns in case.dialogues:
        for place, row in enumerate(turns):
            if not all(earlier.right for earlier in turns[:place]):
                later.append(row.right)
    return mean(later)


def cascade(task):
    """A dialogue is a machine with two states: from a failed video turn on it answers nothing."""

    def figure(case):
        found = []
        for turns in case.dialogues:
            alive = True
            for row in turns:
                if row.turn.task == task:
                    found.append(alive and row.right)
                alive = alive and (row.turn.task != "video" or row.right)
        return mean(found)

    return figure


def best_ranks(segment):
    return [min(row.rank or 101 for row in segment[: n + 1]) for n in range(len(segment))]


def cumulative_hit(case):
    return mean(best_ranks(segment)[-1] <= 10 for segment in case.segments)


def best_log_rank(case):
    """numpy's trapezoid rule over turns."""
    return mean(
        np.trapezoid(np.log(best_ranks(segment))) / (len(segment) - 1) for segment in case.segments
    )


def session_dcg(case):
    def discounted(gains):
        return math.fsum(gain / (1 + math.log(q, 4)) for q, gain in enumerate(gains, start=1))

    return mean(
        discounted([1 / math.log2(1 + row.rank) if row.rank else 0 for row in segment])
        / discounted([1] * len(segment))
        for segment in case.segments
    )


ORACLES = {
    **{f"R@{k}": trec(f"success.{k}") for k in (1, 5, 10, 100)},
    "MRR": trec("recip_rank"),
    "nDCG@10": trec("ndcg_cut.10"),
    "MedR": median_rank,
    "C-R@1": choice,
    "C-R@1|in": choice_within,
    "ahead_of_foil": ahead_of_foil,
    **{f"R@{n},IoU>=0.{t}": span_recall(n, t) for n in (1, 5) for t in (3, 5, 7)},
    "mIoU": mean_iou,
    "BLEU-4": of_texts(bleu),
    "chrF": of_texts(chrf),
    "success": success,
    "turns_right": turns_right,
    **{f"S@{t}": survival(t) for t in range(1, 11)},
    "RMST@7": restricted_mean,
    "P(right|right)": right_after(True),
    "P(right|wrong)": right_after(False),
    "dependence": dependence,
    "recovery": recovery,
    "cascade:R@1": cascade("video"),
    "cascade:R@1,IoU>=0.5": cascade("moment"),
    "cumHit@10": cumulative_hit,
    "BRI@100": best_log_rank,
    "nsDCG": session_dcg,
}
