"""Dead letters: who sends what cannot be read, single letters, and replays."""
