"""Taking part: the challenge's file, its ledger and what it says, teams, and organizers' acts."""
