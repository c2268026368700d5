"""The doors by which mail comes in: each stores the raw bytes, then the row, and only then acknowledges."""
