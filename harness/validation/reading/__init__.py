"""Reading of submissions: files opened safely, lines and cards parsed, the rules applied."""
