"""Dead letters: who sends what cannot be read, single ones, and replays."""
