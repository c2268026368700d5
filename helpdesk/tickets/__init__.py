"""Tickets, their messages and history, and all that staff and readers do with them."""
