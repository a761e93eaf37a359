"""The exams over HTTP."""
