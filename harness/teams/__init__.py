"""Teams: their folders below the submissions, their files, and names that deceive."""
