"""Planted bugs of frames, features and training.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

FIT = "tests/baselines/training/test_fit.py"
SAMPLING = ("tests/baselines/video/test_sampling.py",)
FEATURES = "tests/baselines/video/test_features.py"
TRAINING = (
    (
        "resumption: batches start again at the first one",
        "baselines/training/fit.py",
        "batches.begin(trainer.global_step, trainer.global_rank",
        "batches.begin(0, trainer.global_rank",
        (f"{FIT}::test_a_resumed_run_sees_the_batches_that_are_left",),
    ),
    (
        "resumption: another seed is accepted",
        "baselines/training/trainer.py",
        "if before.get(name) != plan[name]",
        "if name not in before",
        ("tests/cli/test_training.py::test_a_run_is_resumed_with_its_own_seed_alone",),
    ),
    (
        "seeding: every step has the same batch",
        "baselines/training/batches.py",
        "np.random.default_rng((self._seed, step))",
        "np.random.default_rng((self._seed, 0))",
        (f"{FIT}::test_each_step_and_each_seed_has_a_batch_of_its_own",),
    ),
    (
        "seeding: every step draws the same noise",
        "baselines/training/callbacks.py",
        "(self._seed * 2654435761 + trainer.global_step) * trainer.world_size",
        "self._seed * 2654435761 * trainer.world_size",
        (f"{FIT}::test_each_step_draws_other_noise_and_a_resumed_run_draws_the_same",),
    ),
    (
        "seeding: noise is not seeded at each step",
        "baselines/training/callbacks.py",
        "torch.manual_seed((state + trainer.global_rank) % 2**63)",
        "torch.Generator().manual_seed((state + trainer.global_rank) % 2**63)",
        (f"{FIT}::test_each_step_draws_other_noise_and_a_resumed_run_draws_the_same",),
    ),
    (
        "sharding: every process has the first share",
        "baselines/training/batches.py",
        "rows[self._process * size : (self._process + 1) * size]",
        "rows[:size]",
        (f"{FIT}::test_shares_of_processes_make_up_the_batch",),
    ),
    (
        "sharding: the other processes have one rank",
        "baselines/training/processes.py",
        '"LOCAL_RANK": str(rank)}',
        '"LOCAL_RANK": "1"}',
        ("tests/baselines/training/test_processes.py",),
    ),
    (
        "best checkpoint: least instead of greatest",
        "baselines/training/callbacks.py",
        '"min" if "loss" in monitor else "max"',
        '"max" if "loss" in monitor else "min"',
        (f"{FIT}::test_a_figure_is_best_where_it_is_greatest_and_a_loss_where_it_is_least",),
    ),
    (
        "best checkpoint: the last weights instead",
        "baselines/training/stages.py",
        'module.load_state_dict(_state(self._best)["state_dict"])',
        'module.load_state_dict(_state(self.last)["state_dict"])',
        (f"{FIT}::test_early_stopping_ends_with_the_best_weights",),
    ),
    (
        "checkpoint: the hash of the weights is not checked",
        "baselines/training/checkpoints.py",
        "if hashlib.sha256(data).hexdigest() != about.weights:",
        "if not about.weights:",
        ("tests/baselines/training/test_checkpoints.py",),
    ),
    (
        "validation: ties favour the gold video",
        "baselines/training/metrics.py",
        "ahead = (scores > own) | ((scores == own) & earlier)",
        "ahead = scores > own",
        ("tests/baselines/training/test_metrics.py",),
    ),
    (
        "contrastive loss: one direction alone",
        "baselines/retrieval_training/contrastive.py",
        "return (text_to_video + video_to_text) / 2",
        "return text_to_video",
        ("tests/baselines/retrieval_training/test_contrastive.py",),
    ),
    (
        "contrastive loss: false negatives",
        "baselines/retrieval_training/contrastive.py",
        "    logits = logits.masked_fill(same_video, -math.inf)\n",
        "",
        ("tests/baselines/retrieval_training/test_contrastive.py",),
    ),
    (
        "contrastive pairs: later turns are read",
        "baselines/retrieval_training/contrastive.py",
        "history=earlier)",
        'history=tuple(Exchange(t.task, t.utterance, "", None, ()) for t in labels.turns))',
        ("tests/baselines/retrieval_training/test_contrastive.py",),
    ),
    (
        "padding: frames that are not there are embedded as frames",
        "baselines/retrieval_training/encoder_pairs.py",
        "mask[at, : len(rows)] = 1",
        "mask[at] = 1",
        ("tests/baselines/retrieval_training/test_contrastive.py",),
    ),
    (
        "time stamps: counted from zero, not from the first frame",
        "baselines/video/sampling.py",
        "until = bisect_left(ticks, stamp - first, done)",
        "until = bisect_left(ticks, stamp, done)",
        SAMPLING,
    ),
    (
        "time stamps: a frame is shown before its own stamp",
        "baselines/video/sampling.py",
        "pixels[done:until] = _square(shown, sampler, scaler)",
        "pixels[done:until] = _square(frame, sampler, scaler)",
        SAMPLING,
    ),
    (
        "time stamps: frames at the start of each step",
        "baselines/video/sampling.py",
        "return range(1, 2 * self.total, 2)",
        "return range(0, 2 * self.total, 2)",
        SAMPLING,
    ),
    (
        "cache key: the encoder is left out",
        "baselines/video/features.py",
        '"encoder": encoder.key,',
        '"encoder": "",',
        (f"{FEATURES}::test_what_the_rows_depend_on_is_in_the_key",),
    ),
    (
        "cache key: a changed file of the same size keeps its hash",
        "baselines/video/video_files.py",
        "if (size, changed) == (state.st_size, state.st_mtime_ns):",
        "if size == state.st_size:",
        (f"{FEATURES}::test_unchanged_files_are_not_hashed_again",),
    ),
    (
        "decoding: frames that the decoder marks as corrupt are taken",
        "baselines/video/sampling.py",
        "if frame.is_corrupt:",
        "if frame.is_corrupt and not frame.pts:",
        SAMPLING,
    ),
    (
        "cache: damaged features are trusted",
        "baselines/video/feature_cache.py",
        "if check != _digest(rows, record):",
        "if not check:",
        (f"{FEATURES}::test_a_damaged_entry_is_computed_again",),
    ),
)
