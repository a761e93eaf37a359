"""Planted bugs of the chat client and the assistants.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

CLIENT = "tests/chat/test_client.py"
ENDPOINT = "tests/baselines/assistants/test_endpoint.py"
UNFINISHED = "tests/chat/test_unfinished.py"
ANSWERS = "tests/replies/test_answers.py"
CHAT = (
    (
        "a key stands in an error",
        "harness/chat/client.py",
        "return shown(self._access.key.redact(text), 200)",
        "return shown(text, 200)",
        (f"{CLIENT}::test_a_key_goes_into_its_header_and_nowhere_else",),
    ),
    (
        "a key stands in a reply",
        "harness/chat/client.py",
        "text=self._access.key.redact(completion.text)",
        "text=completion.text",
        (f"{CLIENT}::test_a_key_goes_into_its_header_and_nowhere_else",),
    ),
    (
        "another server's key is sent",
        "harness/chat/connection.py",
        "in request.headers.items() if name in SENT_HEADERS}",
        "in request.headers.items()}",
        (f"{CLIENT}::test_only_what_a_request_needs_is_sent",),
    ),
    (
        "the budget forgets the part of a run before its resumption",
        "baselines/assistants/endpoint.py",
        "self._usage.add(usage)",
        "self._usage.add({})",
        (f"{ENDPOINT}::test_an_earlier_part_of_a_run_counts_against_the_budget",),
    ),
    (
        "the budget counts equal requests once",
        "harness/chat/client.py",
        "self._usage.add({name: count * number for",
        "self._usage.add({name: number for",
        (f"{CLIENT}::test_equal_requests_count_each_against_the_budget",),
    ),
    (
        "a kept reply is requested again",
        "harness/chat/client.py",
        "kept = self._cache.get(key) if isinstance(key, str) else None",
        "kept = None",
        (f"{CLIENT}::test_equal_requests_are_asked_once_and_kept_replies_not_at_all",),
    ),
    (
        "replies of another version are taken",
        "harness/chat/wire_format.py",
        "canonical([1, self.version, body])",
        'canonical([1, "", body])',
        ("tests/chat/test_wire_format.py",),
    ),
    (
        "an abstention is not counted",
        "baselines/vlm/assistant.py",
        "return usage | {(UNANSWERED if why in _NOT_THE_MODELS else ABSTAINED) + why: 1}",
        "return usage",
        (f"{ENDPOINT}::test_what_cannot_be_read_is_an_abstention_with_its_reason",),
    ),
    (
        "a reply is read without limit",
        "harness/chat/connection.py",
        "if size > self._limit:",
        "if size < 0:",
        (f"{CLIENT}::test_a_huge_reply_is_cut_off_and_counted_as_unreadable",),
    ),
    (
        "a compressed reply is decompressed",
        "harness/chat/connection.py",
        '    response.headers.pop("Content-Encoding", None)\n',
        "",
        (f"{CLIENT}::test_a_packed_reply_is_not_unpacked",),
    ),
    (
        "Retry-After is passed over",
        "harness/chat/client.py",
        "return max(wait or 0.0, longest *",
        "return max(0.0, longest *",
        (f"{CLIENT}::test_a_server_is_asked_again_when_it_says",),
    ),
    (
        "a message is cut before the key is blotted out",
        "harness/chat/client.py",
        "text = data[:MAX_ERROR].decode",
        "text = data[:200].decode",
        (f"{UNFINISHED}::test_a_key_at_the_place_where_a_message_is_cut_shows_in_no_part",),
    ),
    (
        "the beginning of a key shows",
        "harness/chat/access.py",
        'beginning = "".join(map(_unit, value[: SHOWN + 1]))',
        'beginning = "".join(map(_unit, value))',
        ("tests/chat/test_access.py::test_the_beginning_of_a_key_is_blotted_out",),
    ),
    (
        "a reply that was cut off is kept",
        "harness/chat/client.py",
        "if isinstance(key, str) and reply.is_final:",
        "if isinstance(key, str):",
        (f"{UNFINISHED}::test_what_stays_unfinished_is_a_reply_that_is_never_kept",),
    ),
    (
        "a reply that was cut off is not asked for again",
        "harness/chat/client.py",
        "if not first.is_unfinished:",
        "if first is not None:",
        (f"{UNFINISHED}::test_what_is_unfinished_is_asked_for_once_more",),
    ),
    (
        "one fault turns the schema off",
        "harness/chat/client.py",
        "if not refuses or (fails and taken):",
        "if not refuses:",
        (f"{UNFINISHED}::test_a_fault_is_no_refusal_where_the_schema_is_followed",),
    ),
    (
        "thoughts that are not closed are an answer",
        "harness/replies/thoughts.py",
        "        if not self.depth:\n            self._pieces.append",
        "        if True:\n            self._pieces.append",
        (f"{ANSWERS}::test_a_thought_that_is_not_closed_goes_on_to_the_end",),
    ),
    (
        "words outrank JSON",
        "harness/replies/answers.py",
        "found = numbers_in_json(answer, candidates, cut=cut)",
        "found = None",
        (f"{ANSWERS}::test_a_choice_in_json_is_read_in_many_forms",),
    ),
    (
        "a number that may go on counts",
        "harness/replies/broken_json.py",
        "    if goes_on and not",
        "    if False and not",
        (f"{ANSWERS}::test_a_cut_span_is_read_as_far_as_it_is_whole",),
    ),
    (
        "raw JSON is shown",
        "harness/replies/answers.py",
        "    if place is None:",
        "    if place is not None:",
        (f"{ANSWERS}::test_what_is_shown_is_no_json",),
    ),
    (
        "JSON for people holds raw marks",
        "harness/files.py",
        'return _HIDDEN.sub(_json_escape, text).encode() + b"\\n"',
        'return text.encode() + b"\\n"',
        ("tests/test_files.py",),
    ),
)
