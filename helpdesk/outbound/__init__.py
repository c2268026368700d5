"""The outbox: one row per mail and recipient, claimed, sent, retried. It knows no noun of the desk."""
