"""Planted bugs of InterLLaVA's losses, prompts, examples and folders.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

TESTS = "tests/baselines/interllava"
LOSSES, PROMPTS = (f"{TESTS}/test_losses.py",), (f"{TESTS}/test_prompts.py",)
TRAINING = f"{TESTS}/test_training.py"
EXAMPLES = (f"{TESTS}/test_tiny_data.py",)
LISTWISE = (f"{TESTS}/test_listwise.py",)
INTERLLAVA = (
    (
        "InterLLaVA on features: candidate order not followed by the answer",
        "baselines/interllava/listwise/listwise_examples.py",
        "number = order.index(turn.gold) + 1",
        "number = names.index(turn.gold) + 1",
        LISTWISE,
    ),
    (
        "InterLLaVA on features: places told of a list that the gold video was put into",
        "baselines/interllava/listwise/listwise_examples.py",
        "is_told = is_given and turn.gold in turn.given and",
        "is_told = is_given and",
        LISTWISE,
    ),
    (
        "InterLLaVA on features: the reader trained on the videos that are held out",
        "baselines/interllava/listwise/listwise_data.py",
        "parts = TurnParts(part(held=False), part(held=True))",
        "parts = TurnParts(turns, part(held=True))",
        LISTWISE,
    ),
    (
        "InterLLaVA on features: candidates not in a new order",
        "baselines/interllava/listwise/listwise_examples.py",
        "order = [names[at] for at in rng.permutation(len(names))]",
        "order = names",
        LISTWISE,
    ),
    (
        "InterLLaVA: loss weight ignored",
        "baselines/interllava/training.py",
        "loss + self._config.weight * auxiliary_loss(",
        "loss + auxiliary_loss(",
        (f"{TRAINING}::test_the_weight_multiplies_number_and_span_losses",),
    ),
    (
        "InterLLaVA: number loss of a number that the prompt gives",
        "baselines/interllava/training.py",
        'with_number = batch.task != "moment"',
        "with_number = True",
        (f"{TRAINING}::test_a_moment_turn_has_no_number_loss",),
    ),
    (
        "InterLLaVA: position of the number token shifted",
        "baselines/interllava/losses.py",
        "row[position - 1 :]",
        "row[position:]",
        LOSSES,
    ),
    (
        "InterLLaVA: span distance without a gradient where spans do not meet",
        "baselines/interllava/losses.py",
        "    return 1 - common / whole.clamp(min=1e-6)",
        "    return 1 - common.clamp(min=0) / whole.clamp(min=1e-6)",
        LOSSES,
    ),
    (
        "InterLLaVA: place values of digits shifted",
        "baselines/interllava/prompts.py",
        "return 10.0 ** (point - at - 1) if at < point",
        "return 10.0 ** (point - at) if at < point",
        PROMPTS,
    ),
    (
        "InterLLaVA: prompts padded on the right for generation",
        "baselines/interllava/prompts.py",
        "slice(longest - size, longest) if generation",
        "slice(longest - size, longest) if not generation",
        PROMPTS,
    ),
    (
        "InterLLaVA: trained LoRA weights not saved",
        "baselines/interllava/published/published_training.py",
        "named_parameters() if weight.requires_grad}",
        'named_parameters() if weight.requires_grad and "lora_" not in name}',
        (
            "tests/baselines/assistants/test_interllava.py::"
            "test_the_folder_holds_all_trained_weights_and_no_published_ones",
        ),
    ),
    (
        "InterLLaVA: candidate order not followed by the answer",
        "baselines/interllava/tiny/tiny_examples.py",
        "number = order.index(turn.gold) + 1",
        "number = names.index(turn.gold) + 1",
        EXAMPLES,
    ),
    (
        "InterLLaVA: gold video among its own hard negatives",
        "baselines/interllava/tiny/tiny_data.py",
        "if (name := names[at]) != each.gold)",
        "if (name := names[at]))",
        EXAMPLES,
    ),
    (
        "InterLLaVA: last step of a moment one too late",
        "baselines/interllava/video_marks.py",
        "(gold[:, 1] * STEPS).ceil().long() - 1)",
        "(gold[:, 1] * STEPS).ceil().long())",
        EXAMPLES,
    ),
)
