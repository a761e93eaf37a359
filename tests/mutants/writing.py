"""Planted bugs of what is written: through links, over what others hold, or half.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

PARTS = "tests/replacement/test_parts.py"
FOLDERS = "tests/replacement/test_folders.py"
FILES = "tests/replacement/test_files.py"
WRITING = (
    (
        "scores take the place of the predictions",
        "harness/files.py",
        "        if (place := _place(path)) in known:\n",
        "        if (place := _place(path)) is None:\n",
        ("tests/cli/test_score.py::test_scores_never_take_the_place_of_what_they_are_made_of",),
    ),
    (
        "parts: a name that is taken is written through",
        "harness/replacement/parts.py",
        "os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_RDWR | os.O_CREAT | os.O_CLOEXEC",
        (f"{PARTS}::test_a_name_that_is_taken_is_never_written_through",),
    ),
    (
        "parts: what a living process holds is removed",
        "harness/replacement/parts.py",
        "if not _lock(descriptor, trusted=False) or not _is_at(descriptor, name, place):",
        "if not _is_at(descriptor, name, place):",
        (f"{PARTS}::test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_stays",),
    ),
    (
        "parts: what another machine holds is removed",
        "harness/replacement/parts.py",
        "return kernel == _kernel() or _kind_of_disk(place) in _NOT_SHARED",
        "return True",
        (f"{PARTS}::test_parts_of_another_machine_stay_where_machines_share_the_disk",),
    ),
    (
        "parts: a part is made before its lock is certain",
        "harness/replacement/parts.py",
        "if _lock(descriptor, trusted=True) and _is_at(descriptor, name, place):",
        "if _lock(descriptor, trusted=True):",
        (f"{PARTS}::test_a_part_that_was_taken_for_stale_before_its_lock_is_made_again",),
    ),
    (
        "parts: what was moved away is not put back",
        "harness/replacement/parts.py",
        "        _put_back(name, place)\n",
        "        pass\n",
        (FOLDERS,),
    ),
    (
        "parts: what was moved away is put back through a link",
        "harness/replacement/parts.py",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC",
        (f"{PARTS}::test_links_and_pipes_that_are_called_like_parts_lead_nowhere",),
    ),
    (
        "folders: the old one goes before the new one stands",
        "harness/replacement/folders.py",
        "    if not exchange(new, out):\n",
        "    if True:\n",
        (f"{FOLDERS}::test_the_folder_is_there_at_each_moment",),
    ),
    (
        "files: a device loses its name",
        "harness/files.py",
        "            _refuse_other_kinds(path)\n",
        "",
        (f"{FILES}::test_what_is_no_file_is_refused_and_stays",),
    ),
    (
        "journal: a file of others is written through a link",
        "baselines/running/journal.py",
        "os.O_CREAT | os.O_NOFOLLOW |",
        "os.O_CREAT |",
        ("tests/cli/test_disk.py::test_a_journal_is_no_way_to_write_a_file_of_others",),
    ),
)
