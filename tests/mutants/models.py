"""Planted bugs of the event models, the dual encoder and the localisers.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

EVENTS = "tests/baselines/event_models"
MATCHING = f"{EVENTS}/test_matching_training.py"
GROUNDING = "tests/baselines/localisation/events"
HEADS = "tests/baselines/localisers"
DETR = f"{HEADS}/test_moment_detr.py"
MODELS = (
    (
        "models: matching cost of Moment-DETR without L1",
        "baselines/localisers/moment_detr.py",
        "cost = L1 * distance + GIOU * dissimilarity",
        "cost = GIOU * dissimilarity",
        (f"{DETR}::test_the_matched_proposal_is_the_one_of_least_cost",),
    ),
    (
        "models: matching cost of Moment-DETR without the score",
        "baselines/localisers/moment_detr.py",
        " - SCORE * logits.sigmoid()",
        "",
        (f"{DETR}::test_matching_is_the_best_of_all_permutations",),
    ),
    (
        "models: generalised IoU without the gap",
        "baselines/localisers/moment_detr.py",
        " - (hull - union) / hull.clamp(min=1e-6)",
        "",
        (f"{DETR}::test_generalised_iou_by_hand",),
    ),
    (
        "models: IoU map shifted by one cell",
        "baselines/localisers/tan2d.py",
        "(end + 1) / STEPS",
        "(end + 2) / STEPS",
        (f"{HEADS}/test_tan2d.py::test_the_map_proposes_every_span_once",),
    ),
    (
        "models: IoU not scaled in the map's targets",
        "baselines/localisers/tan2d.py",
        "((overlap / union - LOWEST) / (HIGHEST - LOWEST)).clamp(0, 1)",
        "(overlap / union).clamp(0, 1)",
        (f"{HEADS}/test_tan2d.py::test_the_loss_is_cross_entropy_with_the_scaled_iou",),
    ),
    (
        "models: foils are no negatives",
        "baselines/event_models/matching_training.py",
        "loss = loss + nn.functional.softplus(-margin).mean()",
        "loss = loss + 0 * nn.functional.softplus(-margin).mean()",
        (f"{MATCHING}::test_a_foil_is_a_negative_and_stands_behind_its_gold",),
    ),
    (
        "models: the same video is its own negative",
        "baselines/event_models/matching_training.py",
        "scores.masked_fill(same, -1e4)",
        "scores",
        (f"{MATCHING}::test_the_same_video_of_another_query_is_no_negative",),
    ),
    (
        "models: gold and foil changed in different ways",
        "baselines/event_models/matching_sampler.py",
        "both = [each.reorder(order) for each in both]",
        "both = [gold.reorder(order), foil]",
        (f"{MATCHING}::test_gold_and_foil_are_changed_in_the_same_way",),
    ),
    (
        "models: labels not permuted under the control (dual encoder)",
        "baselines/event_models/controls.py",
        "generator.permutation(with_video)",
        "with_video",
        (f"{EVENTS}/test_controls.py::test_permuted_labels_are_the_same_ones_elsewhere",),
    ),
    (
        "models: labels not shuffled under the control (localisers)",
        "baselines/localisation/events/grounding_data.py",
        "np.random.default_rng(seed).permutation(len(self.train))",
        "range(len(self.train))",
        (
            f"{GROUNDING}/test_grounding_sampler.py"
            "::test_shuffled_labels_are_the_same_texts_over_the_same_moments",
        ),
    ),
    (
        "models: videos not permuted under the control",
        "baselines/event_models/controls.py",
        "[names[at] for at in generator.permutation(len(names))]",
        "names",
        (f"{EVENTS}/test_controls.py",),
    ),
    (
        "models: order of events reversed",
        "baselines/event_models/matching.py",
        "np.sign(np.arange(count)[None] - np.arange(count)[:, None])",
        "np.sign(np.arange(count)[:, None] - np.arange(count)[None])",
        (f"{EVENTS}/test_matching.py::test_a_later_segment_is_positive_in_the_relation_of_order",),
    ),
    (
        "models: last frame of an event left out of its mean",
        "baselines/event_models/event_segments.py",
        "(sums[ends] - sums[starts]) / (ends - starts)",
        "(sums[ends - 1] - sums[starts]) / (ends - starts)",
        (f"{EVENTS}/test_event_segments.py::test_pooling_is_the_mean_of_each_span",),
    ),
    (
        "models: an event's end counts as inside it",
        "baselines/event_models/recogniser_training.py",
        "(times >= event.start) & (times < event.end)",
        "(times >= event.start) & (times <= event.end)",
        (f"{EVENTS}/test_recogniser.py::test_targets_hold_the_values_of_the_event_that_goes_on",),
    ),
    (
        "models: gold of a spliced video is its first event",
        "baselines/localisation/events/grounding_sampler.py",
        "next(at for at, piece in enumerate(pieces) if piece.gold)",
        "0",
        (f"{GROUNDING}/test_grounding_sampler.py",),
    ),
    (
        "models: old names of weights not known",
        "baselines/localisation/events/cross_modal_encoder.py",
        '"reader.gist.": "encoder.modulation.", ',
        "",
        (f"{GROUNDING}/test_cross_modal_encoder.py::test_weights_by_their_old_names_are_loaded",),
    ),
)
