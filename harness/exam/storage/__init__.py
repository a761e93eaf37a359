"""What a server keeps: tables, exams and answers, tokens; writes are committed together."""
