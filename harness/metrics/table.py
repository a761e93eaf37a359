"""The METRICS table: every metric of protocol ivcr, in the order in which it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import chain

import harness.metrics.dialogues as dialogues
import harness.metrics.moments as moments
import harness.metrics.responses as responses
import harness.metrics.retrieval as retrieval
import harness.metrics.segments as segments
import harness.metrics.survival as survival
from harness.metrics.metric import Metric
from harness.records import ABSENT_RANK, RANK_LIMIT
from harness.temporal import IOU_TENTHS

TREC = "TREC; Voorhees & Harman 2005 (one gold video a turn: Success@k)"
TALL = "Gao et al., TALL, ICCV 2017"
CHOICE = "IVCR-200K: choice among the ten first-stage candidates"
OURS = "this project's definition"
PAIRS = f"{OURS}: retrieval turns that follow one another, as a chain of two states"
SACREBLEU = "as in sacreBLEU, Post, WMT 2018"
TWO_LANGUAGES = "both languages occur, and each has its own figure: see language=en, language=zh"
SURVIVAL_TURNS = range(1, survival.LONGEST + 1)
RMST_TURNS = 7


def _video_turns() -> Iterator[Metric]:
    video = partial(Metric, scope="turn", over="video turns", source=TREC)
    for k in (1, 5, 10, RANK_LIMIT):
        formula = f"1 if rank <= {k}, else 0"
        yield video(f"R@{k}", partial(retrieval.recall, k=k), formula=formula)
    yield video(
        "MRR",
        retrieval.reciprocal_rank,
        formula=f"1 / rank, 0 past {RANK_LIMIT}",
        source="Voorhees, TREC-8 question answering track, 1999",
    )
    yield video(
        "nDCG@10",
        partial(retrieval.ndcg, k=10),
        formula="1 / log2(1 + rank) if rank <= 10, else 0",
        source="Järvelin & Kekäläinen, TOIS 20(4), 2002",
    )
    yield video(
        "MedR",
        retrieval.rank,
        formula="median rank; null if absent in half the turns or more",
        source="usual in text-to-video retrieval, e.g. Miech et al., HowTo100M, ICCV 2019",
        average="median",
        unit="rank",
        low=1,
        high=RANK_LIMIT,
        better="lower",
        abstention=ABSENT_RANK,
        undefined=f"past {RANK_LIMIT}",
    )


def _choices() -> Iterator[Metric]:
    yield Metric(
        "C-R@1",
        retrieval.choice,
        "turn",
        "1 if the first of choice (else of videos among the candidates) is gold",
        "video turns with candidates",
        CHOICE,
    )
    yield Metric(
        "C-R@1|in",
        retrieval.choice_within,
        "turn",
        "as C-R@1",
        "video turns whose candidates hold the gold",
        CHOICE,
    )
    yield Metric(
        "ahead_of_foil",
        retrieval.ahead_of_foil,
        "turn",
        "1 if gold ahead of its foil, 1/2 if neither is ranked, else 0",
        "video turns with a foil",
        "pair accuracy, as in two-alternative forced choice",
        abstention=0.5,
    )


def _moment_turns() -> Iterator[Metric]:
    moment = partial(Metric, scope="turn", over="moment turns", source=TALL)
    for first, which in ((1, "the first"), (5, "one of the first five")):
        for tenths in IOU_TENTHS:
            yield moment(
                f"R@{first},IoU>=0.{tenths}",
                partial(moments.recall, first=first, tenths=tenths),
                formula=f"1 if IoU >= 0.{tenths} for {which}",
            )
    yield moment("mIoU", moments.mean_iou, formula="IoU of the first moment")


def _texts() -> Iterator[Metric]:
    text = partial(
        Metric,
        scope="turn",
        over="turns with a reference answer",
        average="smooth",
        unit="points",
        high=100,
        size=responses.of_one_language,
        undefined=TWO_LANGUAGES,
    )
    yield text(
        "BLEU-4",
        responses.bleu_counts,
        formula="brevity penalty times the geometric mean of n-gram precisions, n = 1 to 4, over"
        " all turns of one language; tokeniser 13a for en, zh for zh",
        source=f"Papineni et al., ACL 2002; {SACREBLEU}",
        figure=responses.bleu,
        depends=responses.bleu_signature,
    )
    yield text(
        "chrF",
        responses.chrf_counts,
        formula="F_2 of the mean precision and recall of character n-grams, n = 1 to 6, over all"
        " turns of one language",
        source=f"Popović, WMT 2015; {SACREBLEU}",
        figure=responses.chrf,
        depends=responses.chrf_signature,
    )


def _whole_dialogues() -> Iterator[Metric]:
    over = "dialogues with retrieval turns, type 7 left out"
    whole = partial(Metric, scope="dialogue", over=over, source=OURS)
    yield whole("success", dialogues.success, formula="1 if all retrieval turns are right")
    yield whole(
        "turns_right",
        dialogues.turns_right,
        formula="share of the dialogue's retrieval turns that are right",
    )
    kaplan_meier = partial(
        whole,
        average="smooth",
        size=survival.at_risk_last,
        source="Kaplan & Meier, JASA 53, 1958",
    )
    for t in SURVIVAL_TURNS:
        yield kaplan_meier(
            f"S@{t}",
            partial(survival.survival, last=t),
            formula=f"product over j <= {t} of 1 - dialogues that fail at their j-th retrieval turn"
            " / dialogues that reach it without a failure",
            figure=survival.survives,
            answers_count=t > 1,
            undefined=f"no dialogue is at risk at retrieval turn {t}",
        )
    yield kaplan_meier(
        f"RMST@{RMST_TURNS}",
        partial(survival.survival, last=RMST_TURNS),
        formula=f"S@1 + ... + S@{RMST_TURNS}",
        source="restricted mean survival time; Royston & Parmar, Statistics in Medicine 30, 2011",
        figure=survival.restricted_mean,
        answers_count=True,
        unit="turns",
        high=RMST_TURNS,
        undefined=f"no dialogue is at risk at retrieval turn {RMST_TURNS} or before it",
    )


def _turn_to_turn() -> Iterator[Metric]:
    for word, was_right in (("right", True), ("wrong", False)):
        yield Metric(
            f"P(right|{word})",
            partial(dialogues.right_after, was_right=was_right),
            "dialogue",
            f"1 if right, where the retrieval turn before was {word}",
            f"retrieval turns after a {word} one",
            PAIRS,
            answers_count=True,
        )
    yield Metric(
        "dependence",
        dialogues.dependence,
        "dialogue",
        "P(right|right) - P(right|wrong); difficulty that the turns of a dialogue share makes it"
        " positive without any propagation",
        "retrieval turns after another",
        PAIRS,
        average="smooth",
        figure=dialogues.difference,
        low=-1,
        size=dialogues.fewer,
        answers_count=True,
        undefined="no retrieval turn follows a right one, or none a wrong one",
    )
    yield Metric(
        "recovery",
        dialogues.recovery,
        "dialogue",
        "1 if right, where an earlier retrieval turn of the dialogue was wrong",
        "retrieval turns after a failure in their dialogue",
        f"{OURS}: as P(right|wrong), however long ago the failure",
        answers_count=True,
    )


def _cascades() -> Iterator[Metric]:
    for name, task, column in (
        ("R@1", "video", dialogues.cascade_video),
        ("R@1,IoU>=0.5", "moment", dialogues.cascade_moment),
    ):
        yield Metric(
            f"cascade:{name}",
            column,
            "dialogue",
            f"{name}, where after a failed video turn all later turns of the dialogue are wrong",
            f"{task} turns of dialogues other than type 7",
            "the error propagation of an older script of IVCR-200K",
        )


def _segments() -> Iterator[Metric]:
    segment = partial(Metric, scope="segment", over="segments")
    yield segment(
        "cumHit@10",
        segments.cumulative_hit,
        scope="segment turn",
        formula="1 if the best rank so far is 10 or better; at the segment's last turn, or at turn"
        " t in the slices segment_turn=t",
        source="Levy et al., ChatIR, NeurIPS 2023",
    )
    yield segment(
        f"BRI@{RANK_LIMIT}",
        segments.best_log_rank,
        formula="mean over t of (ln b_t + ln b_{t+1}) / 2, b the best rank so far, "
        f"{ABSENT_RANK} if absent",
        source="Lee et al., PlugIR, ACL 2024",
        unit="nats",
        high=math.log(ABSENT_RANK),
        better="lower",
        abstention=math.log(ABSENT_RANK),
    )
    yield segment(
        "nsDCG",
        segments.session_dcg,
        formula="sum over q of g_q / (1 + log_4 q), g = 1 / log2(1 + rank), over the sum for g = 1",
        source="Järvelin et al., ECIR 2008",
    )


_ROWS = chain(
    *(_video_turns(), _choices(), _moment_turns(), _texts()),
    *(_whole_dialogues(), _turn_to_turn(), _cascades(), _segments()),
)
METRICS: dict[str, Metric] = {row.name: row for row in _ROWS}
