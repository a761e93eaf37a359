"""Exams: a server shows turn t + 1 only after the answer to turn t, and a client answers.

    refusals, receipts <- storage (database <- store, tokens, group_commit)
    these, exam_split <- service <- finishing <- record_keeping; service <- http
    these, serve_config <- demo
    client                              of the standard library alone

An answer is on the disk before its receipt is sent. Gold is opened for reference history alone,
and by what scores a finished exam.
"""
