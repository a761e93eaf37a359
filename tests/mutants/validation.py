"""Planted bugs of validation, of strangers' files, of documents and of responses.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

RULES = "tests/validation/test_planted_rules.py"
DOCUMENTS = "tests/schemas/test_documents.py"
PUBLIC = "tests/cli/test_public_files.py"
CHECK = "tests/validation/test_check.py"
AGREEMENT = "tests/validation/test_agreement.py"
NGRAMS = "tests/metrics/test_ngrams.py"
TEXT = "tests/untrusted/test_bounded_text.py"
UNPACKING = "tests/untrusted/test_unpacking.py"
ARRAYS = "tests/untrusted/test_array_archive.py"
PEOPLE = "tests/validation/test_people.py"
SAVED = "tests/formats/test_saved_tables.py"
VALIDATION = (
    (
        "of moments that repeat the last is kept",
        "harness/validation/rules/answer.py",
        "for moment in reversed(moments)}",
        "for moment in moments}",
        (f"{PEOPLE}::test_moments_that_repeat_are_warned_of_and_the_first_is_kept",),
    ),
    (
        "answers of another split are thousands of problems",
        "harness/validation/reading/whole_file.py",
        "split = self._public.dialogues_elsewhere.get(name)",
        "split = None",
        (f"{PEOPLE}::test_answers_of_another_split_are_one_problem_that_names_it",),
    ),
    (
        "later times do not take the warning of early ones away",
        "harness/validation/reading/whole_file.py",
        "self._all_early = False",
        "self._all_early = True",
        (f"{PEOPLE}::test_times_that_all_lie_in_the_first_second_are_warned_of",),
    ),
    (
        "ties of a TREC run go by name",
        "harness/formats/trec.py",
        "(-ranked.score, _number(ranked.rank))",
        "-ranked.score",
        (f"{SAVED}::test_ranks_decide_where_scores_tie_and_topics_with_ties_are_counted",),
    ),
    (
        "distances pass for scores",
        "harness/formats/trec.py",
        "if against and not along:",
        "if against and along:",
        (f"{SAVED}::test_distances_are_refused_with_both_ways_out_and_both_work",),
    ),
    (
        "abstentions count as answered turns of a conversion",
        "harness/formats/conversion.py",
        "any(getattr(prediction, part) for part in",
        "any(getattr(prediction, part) is not None for part in",
        (f"{SAVED}::test_convert_exits_with_1_and_writes_nothing_if_no_turn_is_answered",),
    ),
    (
        "nested TOML reaches the parser",
        "harness/untrusted/bounded_text.py",
        "    if deeper_than(TOML_DEPTH, bare):",
        "    if deeper_than(3000, bare):",
        (f"{TEXT}::test_deep_toml_is_refused_before_it_is_parsed",),
    ),
    (
        "a key of many parts reaches the parser",
        "harness/untrusted/bounded_text.py",
        'word.count(b".") for word in words) >= KEY_PARTS:',
        'word.count(b".") for word in words) > KEY_PARTS:',
        (f"{TEXT}::test_deep_toml_is_refused_before_it_is_parsed",),
    ),
    (
        "five quotation marks hide what stands behind them",
        "harness/untrusted/bounded_text.py",
        '(?:"{3,5}|',
        '(?:"{3}|',
        (f"{TEXT}::test_deep_toml_is_refused_before_it_is_parsed",),
    ),
    (
        "a member that ends takes the next one with it",
        "harness/untrusted/unpacking.py",
        "        self._at -= len(member.unused_data)\n",
        "",
        (f"{UNPACKING}::test_members_are_unpacked_as_by_the_reference",),
    ),
    (
        "members are not counted",
        "harness/untrusted/unpacking.py",
        "if members > MEMBERS + self.taken // MEMBER:",
        "if members > MEMBERS + self.taken:",
        (f"{UNPACKING}::test_parts_that_hold_nothing_are_counted",),
    ),
    (
        "the end of a zip file for larger ones counts",
        "harness/untrusted/array_archive.py",
        " or (of_64 and not limits.any_writer):",
        ":",
        (f"{ARRAYS}::test_an_end_for_larger_files_or_with_a_comment_is_refused",),
    ),
    (
        "numbers that are no characters become text",
        "harness/untrusted/array_archive.py",
        "np.uint32) > sys.maxunicode",
        "np.uint32) < 0",
        (f"{ARRAYS}::test_numbers_that_are_no_characters_are_refused",),
    ),
    (
        "a declared size is believed",
        "harness/untrusted/array_archive.py",
        "if info.file_size != 10 + length + size:",
        "if False:",
        (f"{ARRAYS}::test_a_shape_that_its_data_do_not_have_is_refused",),
    ),
    (
        "a rule that the fast path does not cover is skipped on accepted lines",
        "harness/validation/reading/predictions.py",
        'rule for rule in rules_about("line") if rule.code not in COVERED]',
        'rule for rule in rules_about("line") if rule.code in ()]',
        (f"{RULES}::test_a_planted_rule_fires_on_every_path",),
    ),
    (
        "a rule without a check of its own is skipped on accepted lines",
        "harness/validation/reading/predictions.py",
        "self._fast.accept if all(rule.check for rule in uncovered) else _accept_none",
        "self._fast.accept",
        (f"{RULES}::test_a_rule_without_a_check_of_its_own_sends_every_line_to_the_slow_path",),
    ),
    (
        "an error of an uncovered rule leaves its line a prediction",
        "harness/validation/reading/predictions.py",
        'valid = all(RULES[finding.code].severity == "warning" for finding in findings)',
        "valid = True",
        (f"{RULES}::test_a_line_with_an_error_of_a_planted_rule_gives_no_prediction",),
    ),
    (
        "the modules of rules are listed instead of found",
        "harness/validation/rules/rule_table.py",
        "pkgutil.iter_modules([str(Path(__file__).parent)])",
        "[m for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name[:3] != 'of_']",
        (f"{RULES}::test_a_rule_in_a_new_module_is_found",),
    ),
    (
        "rules about a card are skipped",
        "harness/validation/reading/card_file.py",
        'for rule in rules_about("card"):',
        'for rule in rules_about("card")[:9]:',
        (f"{RULES}::test_a_planted_rule_fires_on_every_path",),
    ),
    (
        "the schema's check of a card is skipped",
        "harness/validation/rules/card.py",
        'return cls(values, tuple(mismatches("card", values)))',
        "return cls(values, ())",
        (f"{AGREEMENT}::test_card_rules_and_schema_agree",),
    ),
    (
        "numbers and depth of a document are not bounded",
        "harness/schemas/documents.py",
        "mismatches(name, plain(document)), None)",
        "mismatches(name, document), None)",
        (f"{DOCUMENTS}::test_require_bounds_what_it_checks",),
    ),
    (
        "NaN is within every range",
        "harness/schemas/documents.py",
        "and not value <= most:",
        "and value > most:",
        (f"{DOCUMENTS}::test_a_number_that_is_none_is_out_of_every_range",),
    ),
    (
        "a card's system may have one character more",
        "harness/schemas/card.json",
        '"type": "string", "maxLength": 60,',
        '"type": "string", "maxLength": 61,',
        (f"{CHECK}::test_limits_of_a_card",),
    ),
    (
        "the fast path lets an end past its video pass",
        "harness/validation/reading/fast_path.py",
        "if not 0 <= start < end <= durations[moment.video_id]:",
        "if not 0 <= start < end <= durations[moment.video_id] + 1000:",
        (f"{AGREEMENT}::test_fast_path_refuses_the_bad_example_of_every_rule_it_covers",),
    ),
    (
        "the fast path lets a repeated video pass",
        "harness/validation/reading/fast_path.py",
        "marks += _KEY + _ENTRY * len(frozenset(videos))",
        "marks += _KEY + _ENTRY * len(videos)",
        (f"{AGREEMENT}::test_fast_path_refuses_the_bad_example_of_every_rule_it_covers",),
    ),
    (
        "scoring takes the public files without their fingerprint",
        "harness/benchmark.py",
        "if found != self.header.fingerprint:",
        "if split is None and found != self.header.fingerprint:",
        (f"{PUBLIC}::test_a_public_file_that_changed_since_the_import_is_refused",),
    ),
    (
        "an n-gram matches more often than the reference has it",
        "harness/metrics/ngrams.py",
        "np.minimum(counts, found).sum()",
        "found.sum()",
        (NGRAMS,),
    ),
    (
        "an n-gram of the response matches its neighbour in the reference",
        "harness/metrics/ngrams.py",
        "np.where(distinct[places] == keys, places, len(distinct))",
        "places",
        (NGRAMS,),
    ),
)
