"""What the organizers' own build computes; the one room of the board that knows the scorer."""
