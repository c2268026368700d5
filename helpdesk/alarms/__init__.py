"""Alarms: a mail to all admins when mail stands still, and another when it goes on."""
