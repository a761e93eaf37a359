"""Planted bugs of the chat client and the assistants.

Each row: the bug, its file, the text that stands there once, the text with the bug, the tests.
"""

CLIENT = "tests/chat/test_client.py"
ENDPOINT = "tests/baselines/assistants/test_endpoint.py"
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
        "reply = self._cache.get(key) if isinstance(key, str) else None",
        "reply = None",
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
        "usage | {ABSTAINED + why: 1}",
        "usage",
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
)
