"""Planted bugs of the folders of features.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

ROOM = "tests/baselines/features"
SETS = f"{ROOM}/test_feature_sets.py"
IMPORT = f"{ROOM}/test_feature_import.py"
HOSTILE = f"{ROOM}/test_hostile_arrays.py"
NAMES = f"{ROOM}/test_video_names.py"
FEATURES = (
    (
        "features: rows of several folders as they are",
        "baselines/features/feature_sets.py",
        "parts = [unit(first[video_id])]",
        "parts = [first[video_id]]",
        (f"{SETS}::test_rows_of_several_folders_stand_side_by_side_at_the_times_of_the_first",),
    ),
    (
        "features: the later of two rows that are equally near",
        "baselines/features/feature_sets.py",
        "- wanted < wanted -",
        "- wanted <= wanted -",
        (f"{SETS}::test_the_nearest_time_is_that_of_the_smallest_difference",),
    ),
    (
        "features: permuted leaves videos their rows",
        "baselines/features/feature_sets.py",
        "[*sources[1:], *sources[:1]]",
        "sources",
        (f"{SETS}::test_permuted_gives_each_video_the_rows_of_another_at_its_own_times",),
    ),
    (
        "features: the order of shuffled rows depends on other videos",
        "baselines/features/feature_sets.py",
        '_generator(self._order_seed, video_id)',
        "_generator(self._order_seed, str(list(self).index(video_id)))",
        (f"{SETS}::test_shuffled_keeps_the_rows_of_a_video_and_loses_their_order",),
    ),
    (
        "features: a changed file is believed",
        "baselines/features/feature_folder.py",
        "    if file.stat().st_mtime_ns == SEAL:",
        "    if file.stat().st_mtime_ns:",
        (f"{SETS}::test_a_damaged_folder_is_refused_by_name",),
    ),
    (
        "features: a row stands at its beginning",
        "baselines/features/feature_import.py",
        "(np.arange(frames) + 0.5) / rate",
        "np.arange(frames) / rate",
        (f"{IMPORT}::test_rows_of_every_format_are_taken_as_they_are",),
    ),
    (
        "features: NaN is taken",
        "baselines/features/feature_import.py",
        "if not (fine := np.isfinite(rows)).all():",
        "if (fine := np.isfinite(rows)) is None:",
        (f"{IMPORT}::test_arrays_that_are_no_features_are_refused_by_video",),
    ),
    (
        "features: a loose name takes a video that has its array",
        "baselines/features/video_names.py",
        " and ours[key][0] not in found",
        "",
        (f"{NAMES}::test_a_video_that_was_found_by_its_id_leaves_no_other_for_a_loose_name",),
    ),
    (
        "features: soft links of HDF5 are followed",
        "baselines/features/hdf5_files.py",
        "h5py.HardLink)",
        "(h5py.HardLink, h5py.SoftLink))",
        (f"{HOSTILE}::test_hdf5_that_leads_elsewhere_or_lacks_its_data_is_refused",),
    ),
    (
        "features: what was never written is zeros",
        "baselines/features/hdf5_files.py",
        'return "" if written else "was not written in full"',
        'return ""',
        (f"{HOSTILE}::test_hdf5_that_leads_elsewhere_or_lacks_its_data_is_refused",),
    ),
    (
        "features: a GIF that was cut off is whole",
        "baselines/video/containers.py",
        'return kind == b";"',
        "return True",
        ("tests/baselines/video/test_sampling.py"
         "::test_a_gif_cut_anywhere_is_refused_though_its_reader_takes_the_part",),
    ),
)  # fmt: skip
