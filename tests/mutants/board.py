"""Planted bugs of the board and of what may be published.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

DISCLOSURE = "tests/publication/test_disclosure.py"
ESCAPING = "tests/publication/test_escaping.py"
WITHHOLDING = "tests/leaderboard/board/test_withholding.py"
ENTRIES = "tests/leaderboard/board/test_entries.py"
CHALLENGE = "tests/leaderboard/test_challenge_board.py"
LEDGER = "tests/leaderboard/board/test_build_ledger.py"
TABLE = "tests/leaderboard/tables/test_ranked_table.py"
HOSTILE = "tests/leaderboard/test_hostile_folders.py"
HIDDEN_SITE = "tests/leaderboard/test_hidden_site.py"
RANKS = "tests/leaderboard/tables/test_ranks.py"
VERIFICATION = "tests/leaderboard/tables/test_verification.py"
COMMAND = "tests/leaderboard/test_command.py"
COLUMNS = "tests/leaderboard/board/test_column_cache.py"
MACHINE_FILES = "tests/leaderboard/site/test_machine_files.py"
BOARD = (
    (
        "disclosure: a cell of 30 turns is withheld",
        "harness/publication/disclosure.py",
        "np.minimum(own, sizes) >= SMALLEST_CELL",
        "np.minimum(own, sizes) > SMALLEST_CELL",
        (f"{DISCLOSURE}::test_the_smallest_cell_that_is_shown_has_thirty_turns",),
    ),
    (
        "disclosure: a remainder of 29 turns is shown",
        "harness/publication/disclosure.py",
        "np.logical_and(number > 0, number < SMALLEST_CELL)",
        "np.logical_and(number > 0, number < SMALLEST_CELL - 1)",
        (f"{DISCLOSURE}::test_the_smallest_cell_that_is_shown_has_thirty_turns",),
    ),
    (
        "disclosure: the difference of two shown cells is of few turns",
        "harness/publication/disclosure.py",
        "shown &= ~(close & shown).any(axis=1)",
        "shown &= True",
        (f"{DISCLOSURE}::test_what_cells_tell_together_is_withheld",),
    ),
    (
        "disclosure: two shown cells less the whole are of few turns",
        "harness/publication/disclosure.py",
        "(_few(differing) | _few(own[0] - differing))",
        "_few(differing)",
        (f"{DISCLOSURE}::test_what_cells_tell_together_is_withheld",),
    ),
    (
        "disclosure: the rest of a kind is of few turns",
        "harness/publication/disclosure.py",
        "        if not _few(unseen):\n",
        "        if unseen >= 0:\n",
        (f"{DISCLOSURE}::test_what_cells_tell_together_is_withheld",),
    ),
    (
        "disclosure: only the first of equally small slices is withheld",
        "harness/publication/disclosure.py",
        "shown[open_[own[open_] == own[open_].min()]] = False",
        "shown[open_[own[open_].argmin()]] = False",
        (f"{DISCLOSURE}::test_what_cells_tell_together_is_withheld",),
    ),
    (
        "disclosure: a cohort is not taken from its turn number",
        "harness/publication/disclosure.py",
        "if whole != name and sizes[name] <= sizes.get(whole, 0):",
        "if whole == name == COHORT:",
        (f"{DISCLOSURE}::test_a_document_of_sizes_alone_is_judged_by_what_slices_are_parts_of",),
    ),
    (
        "disclosure: the scorer counts turns where dialogues count",
        "harness/scoring/figures.py",
        'return "turns" if metric.scope == "turn" else "dialogues"',
        'return "turns"',
        ("tests/test_scoring.py::test_metrics_of_dialogues_need_thirty_dialogues",),
    ),
    (
        "disclosure: the board counts turns where dialogues count",
        "leaderboard/board/withholding.py",
        'turns if scope == "turn" else dialogues',
        "turns",
        (f"{WITHHOLDING}::test_metrics_of_dialogues_need_thirty_dialogues",),
    ),
    (
        "disclosure: a board on hidden labels withholds nothing",
        "leaderboard/board/entries.py",
        'self._hidden = bench.labels == "hidden"',
        'self._hidden = bench.labels == "secret"',
        (f"{WITHHOLDING}::test_a_hidden_board_shows_no_small_cell_anywhere",),
    ),
    (
        "disclosure: published figures keep their digits",
        "harness/publication/disclosure.py",
        "return round(value, _decimals(unit)) + 0.0",
        "return value",
        (
            f"{HIDDEN_SITE}::test_digits_of_a_mean_tell_three_golds_and_what_is_published_none_of_them",
        ),
    ),
    (
        "disclosure: published figures keep their intervals",
        "leaderboard/board/withholding.py",
        "value=value, low=None, high=None)",
        "value=value)",
        (f"{HIDDEN_SITE}::test_pages_draw_and_write_no_interval",),
    ),
    (
        "disclosure: counts that depend on answers are published",
        "leaderboard/board/withholding.py",
        "        cell = msgspec.structs.replace(cell, turns=None, dialogues=None)\n",
        "        pass\n",
        (f"{HIDDEN_SITE}::test_the_json_has_two_decimals_no_interval_and_no_count_of_answers",),
    ),
    (
        "disclosure: a metric does not say that its counts depend on answers",
        "harness/metrics/table.py",
        "answers_count=t > 1,",
        "answers_count=False,",
        (
            "tests/metrics/test_answers_count.py"
            "::test_a_metric_says_whether_its_counts_depend_on_the_answers",
        ),
    ),
    (
        "disclosure: means of seeds have digits again",
        "leaderboard/board/entries.py",
        "files, rounded=self._hidden)",
        "files)",
        (f"{HIDDEN_SITE}::test_the_tables_for_spreadsheets_have_no_more",),
    ),
    (
        "disclosure: hidden labels have a detectable difference",
        "leaderboard/tables/ranks.py",
        "replace(standing, pairs=None, detectable=None)",
        "replace(standing, pairs=None)",
        (f"{HIDDEN_SITE}::test_pages_draw_and_write_no_interval",),
    ),
    (
        "disclosure: official figures are withheld one by one",
        "harness/protocols/scores.py",
        "{name: row[figure].turns for name, row in table.items() if figure in row}",
        "{name: row[figure].turns for name, row in table.items() if row[figure].turns < 30}",
        (
            "tests/protocols/test_scores.py::test_what_is_withheld_is_no_difference_of_what_is_shown",
        ),
    ),
    (
        "disclosure: differences of small slices show as a difference of two",
        "harness/comparison/headlines.py",
        "closed=cell.slice in closed",
        "closed=False",
        (
            "tests/comparison/test_differences.py"
            "::test_hidden_labels_withhold_small_cells_and_every_single_turn",
        ),
    ),
    (
        "disclosure: hidden labels have a dialogue browser",
        "leaderboard/site/publish.py",
        'if board.bench.labels == "hidden":\n        return None',
        'if board.bench.labels == "secret":\n        return None',
        (f"{WITHHOLDING}::test_a_build_writes_no_name_of_a_dialogue_and_no_gold",),
    ),
    (
        "disclosure: hidden labels have differences of single pairs",
        "leaderboard/site/publish.py",
        'pairs=board.bench.labels == "public"',
        "pairs=True",
        (f"{WITHHOLDING}::test_a_build_writes_no_name_of_a_dialogue_and_no_gold",),
    ),
    (
        "disclosure: outcomes turn by turn are written with hidden labels",
        "harness/scoring/writing.py",
        'if outcomes is None and target.name and benchmark.labels(split) == "public":',
        "if outcomes is None and target.name:",
        ("tests/cli/test_score.py::test_hidden_labels_keep_outcomes_to_a_named_place",),
    ),
    (
        "escaping: pages show foreign markup",
        "leaderboard/site/pages.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/leaderboard/site/test_builder.py::test_foreign_text_is_text_wherever_it_stands",),
    ),
    (
        "escaping: the audit's page shows foreign markup",
        "harness/audit/html_page.py",
        "autoescape=True",
        "autoescape=False",
        ("tests/audit/test_page.py::test_the_page_shows_untrusted_text_escaped",),
    ),
    (
        "escaping: hidden marks reach a page",
        "harness/publication/escaping.py",
        'line if line.isprintable() else "".join(map(_visible, line))',
        "line",
        (f"{ESCAPING}::test_hidden_characters_show_as_their_code",),
    ),
    (
        "escaping: a CSV cell is a formula",
        "harness/publication/escaping.py",
        "safe.lstrip().startswith(FORMULA)",
        "safe.startswith(FORMULA)",
        (f"{ESCAPING}::test_no_csv_cell_is_a_formula_and_the_row_stays_one_row",),
    ),
    (
        "escaping: LaTeX obeys a name",
        "harness/publication/escaping.py",
        '"".join(LATEX.get(c, c) for c in visible(text))',
        "visible(text)",
        (f"{ESCAPING}::test_latex_holds_no_command_but_those_that_print_a_character",),
    ),
    (
        "board: the worst rank forgets rows without outcomes",
        "leaderboard/tables/ranks.py",
        "worst += ranked - len(keys)",
        "worst += 0",
        (f"{RANKS}::test_a_row_without_outcomes_has_no_range_and_may_stand_anywhere",),
    ),
    (
        "board: rank ranges start one too high",
        "harness/statistics/boards.py",
        "return 1 + better.sum(axis=1), ",
        "return better.sum(axis=1), ",
        ("tests/statistics/test_boards.py::test_rank_ranges_by_hand",),
    ),
    (
        "board: equal values have ranks of their own",
        "leaderboard/tables/ranked_table.py",
        'method="min"',
        'method="first"',
        (f"{TABLE}::test_equal_values_share_the_better_rank",),
    ),
    (
        "board: equal values stand in no fixed order",
        "leaderboard/tables/ranked_table.py",
        "ascending=[ascending, True, True, True]",
        "ascending=[ascending, True, True, False]",
        (f"{TABLE}::test_equal_values_stand_in_the_order_of_their_names",),
    ),
    (
        "board: a control is ranked",
        "leaderboard/board/records.py",
        "not self.floor and self.card.control is None",
        "not self.floor",
        (
            "tests/leaderboard/site/test_card_fields.py"
            "::test_a_control_has_no_rank_and_takes_none_away",
        ),
    ),
    (
        "board: seeds of two histories share a row",
        "leaderboard/tables/seeds.py",
        "replace(card, seed=None, pair=None, cost=",
        'replace(card, seed=None, pair=None, history="none", cost=',
        (
            "tests/leaderboard/tables/test_seeds.py"
            "::test_what_differs_in_more_than_its_seed_stays_apart",
        ),
    ),
    (
        "board: the page of a changed run is kept",
        "leaderboard/board/entries.py",
        "(known.stamp, known.team) == (files, team)",
        "known.team == team",
        (f"{LEDGER}::test_only_what_changed_is_read_again",),
    ),
    (
        "board: the files of a changed table are kept",
        "leaderboard/board/build_ledger.py",
        "group is None or group.digest != digest or",
        "group is None or",
        (f"{LEDGER}::test_files_of_unchanged_tables_stay_and_the_others_are_written_again",),
    ),
    (
        "board: a page changed by hand is kept",
        "leaderboard/board/build_ledger.py",
        "_stat(site, page) == size_and_time",
        "size_and_time",
        (f"{LEDGER}::test_a_page_that_somebody_changed_or_removed_is_written_again",),
    ),
    (
        "board: another version than the accepted one is shown",
        "leaderboard/board/entries.py",
        "if admitted is not None and scores.submission.sha256 != admitted.submission_sha256:",
        "if admitted is not None and not scores.submission.sha256:",
        (f"{CHALLENGE}::test_another_version_than_the_accepted_one_is_not_shown",),
    ),
    (
        "board: arrays of another form are taken",
        "leaderboard/board/outcomes.py",
        "            _check_forms(archive)\n",
        "",
        (f"{HOSTILE}::test_what_hurts_in_scores_and_outcomes_moves_nothing_on_the_board",),
    ),
    (
        "board: a link to itself hides what stands beside it",
        "harness/teams/submission_folders.py",
        "        return entry.is_symlink()\n",
        "        raise\n",
        (f"{HOSTILE}::test_a_link_to_itself_is_one_refused_entry",),
    ),
    (
        "board: outcomes that sum to another figure give ranges",
        "leaderboard/board/outcomes.py",
        "        require_figure(found, scores, metric, rounding=rounding)\n",
        "        pass\n",
        (f"{RANKS}::test_outcomes_that_do_not_hold_give_no_range_and_hurt_nobody_else",),
    ),
    (
        "board: the column of a changed outcomes file is kept",
        "leaderboard/board/column_cache.py",
        "if kept is not None and kept.stamp == stamp:",
        "if kept is not None:",
        (f"{COLUMNS}::test_a_column_of_a_file_that_changed_is_read_again",),
    ),
    (
        "board: a column is known by the size and time of its file alone",
        "leaderboard/board/column_cache.py",
        "return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino",
        "return found.st_size, found.st_mtime_ns, 0, 0",
        (f"{COLUMNS}::test_a_column_of_a_file_that_changed_is_read_again",),
    ),
    (
        "board: a file of columns changed by hand is believed",
        "leaderboard/board/column_cache.py",
        "return kept if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST] else {}",
        "return kept",
        (f"{COLUMNS}::test_a_file_of_columns_that_somebody_changed_is_ignored",),
    ),
    (
        "board: a kept column gives ranges whatever it sums to",
        "leaderboard/board/column_cache.py",
        "            require_figure(found, run.scores, metric.name, rounding=rounding)\n",
        "",
        (f"{COLUMNS}::test_a_kept_column_that_sums_to_another_figure_is_refused",),
    ),
    (
        "escaping: rows of tables show foreign markup",
        "leaderboard/site/table_rows.py",
        "return escape(visible(text, cut))",
        "return Markup(visible(text, cut))",
        ("tests/leaderboard/site/test_builder.py::test_foreign_text_is_text_wherever_it_stands",),
    ),
    (
        "badge: the bare rank where a range is known",
        "leaderboard/site/feeds/badges.py",
        "    if span is None or span[0] == span[1]:\n",
        "    if True:\n",
        (f"{MACHINE_FILES}::test_a_badge_shows_the_rank_range_of_the_page_and_of_how_many",),
    ),
    (
        "feed: foreign text is markup",
        "leaderboard/site/feeds/atom.py",
        "return str(escape(visible(text, LONG)))",
        "return visible(text, LONG)",
        (f"{MACHINE_FILES}::test_foreign_text_stays_text_in_every_form",),
    ),
    (
        "records: an interval is written where there is none",
        "leaderboard/site/feeds/every_eval.py",
        "    if cell.low is not None and cell.high is not None:\n",
        "    if cell is not None:\n",
        (
            f"{HIDDEN_SITE}::test_a_run_tells_programs_what_its_page_and_the_csv_show_and_no_other_figure",
        ),
    ),
    (
        "records: unchanged runs keep who ran the board before",
        "leaderboard/board/build_ledger.py",
        "{scorer} {provider}",
        "{scorer}",
        (
            f"{CHALLENGE}::test_records_of_unchanged_runs_name_who_runs_the_board_now_and_where_the_data_lie",
        ),
    ),
    (
        "board: verification compares loosely",
        "leaderboard/board/outcomes.py",
        "RELATIVE, ABSOLUTE = 1e-9, 1e-12",
        "RELATIVE, ABSOLUTE = 1e-2, 1e-12",
        ("tests/leaderboard/tables/test_verification.py::test_every_part_of_a_figure_is_compared",),
    ),
    (
        "seconds are taken for milliseconds",
        "harness/records.py",
        "    if not (type(record.start) is int and type(record.end) is int):\n",
        "    if False:\n",
        ("tests/test_records.py",),
    ),
    (
        "a hidden import hides val too",
        "harness/sources/importing.py",
        "return self.hide if self.labels",
        'return ("test", "val") if self.labels',
        ("tests/sources/test_ivcr200k.py", "tests/cli/test_data.py"),
    ),
    (
        "the labels of a hidden split are public",
        "harness/benchmark.py",
        'return "hidden" if name in (self.header.hidden or (name,)) else "public"',
        'return "hidden" if name in self.header.hidden else "public"',
        ("tests/sources/test_ivcr200k.py",),
    ),
    (
        "small cells are compared unasked",
        "harness/comparison/headlines.py",
        "self.counted < SMALLEST_CELL and not",
        "self.counted < 1 and not",
        ("tests/comparison",),
    ),
    (
        "board: a typed scores.json is not named",
        "leaderboard/board/own_figures.py",
        "return [] if stored == again else",
        "return [] if stored else",
        (f"{ENTRIES}::test_a_scores_file_that_says_something_else_is_named_and_never_shown",),
    ),
    (
        "board: predictions that are not valid are a fault of ours",
        "harness/results/batch.py",
        'return Invalid(folder, f"{problem}',
        'return ScoringFault(folder, f"{problem}',
        (f"{HOSTILE}::test_a_hostile_folder_is_one_refused_entry_and_the_rest_is_built",),
    ),
    (
        "board: a folder's name that is no text reaches a page",
        "leaderboard/board/run_folders.py",
        "_unfit(second) or second",
        "second",
        (f"{HOSTILE}::test_a_folder_whose_name_is_no_text_is_refused_by_a_name_that_is",),
    ),
    (
        "board: verification ends at the first folder that cannot be scored",
        "leaderboard/tables/verification.py",
        "        except IvcrError as error:\n",
        "        except KeyError as error:\n",
        (f"{HOSTILE}::test_verify_goes_on_behind_a_folder_that_cannot_be_scored",),
    ),
    (
        "board: verification passes over all but figures",
        "leaderboard/board/recomputation.py",
        "lines = [_line(each) for each in _unequal(_head(stored), _head(again))]",
        "lines: list[str] = []",
        (f"{VERIFICATION}::test_whatever_stands_in_the_document_is_compared",),
    ),
    (
        "board: verification compares the table of outcomes alone",
        "leaderboard/board/outcomes.py",
        "for name in sorted({*one.names, *other.names}):",
        'for name in ["table"]:',
        (f"{COMMAND}::test_verify_compares_every_array_of_the_outcomes",),
    ),
    (
        "board: verification believes any run.json",
        "leaderboard/tables/verification.py",
        "*([] if record is None else record_differences(record, card, board.bench)),",
        "",
        (f"{COMMAND}::test_verify_compares_run_json_with_card_and_benchmark",),
    ),
    (
        "board: a submission's hash does not see where a file ends",
        "harness/submission/digest.py",
        'return f"{name} {self._length} {self._sha256.hexdigest()}\\n"',
        'return ""',
        (
            "tests/validation/test_sha256.py::test_names_and_lengths_are_part_of_it_and_portions_are_not",
        ),
    ),
)
