"""The people who write, known by their mail addresses; they never have an account."""
