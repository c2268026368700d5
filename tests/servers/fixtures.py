"""Real servers, started for a test."""
