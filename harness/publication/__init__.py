"""What all that is published shares: which cells may be shown, and how foreign text is escaped."""
