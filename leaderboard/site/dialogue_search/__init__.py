"""Search in the dialogues: a table of all of them, and an index that a script of ours reads."""
