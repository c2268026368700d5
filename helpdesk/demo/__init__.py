"""`helpdesk demo`: a sample publication with its desk, and a mail server that keeps every mail on this machine."""
