"""Prepared answers with a closed list of placeholders."""
