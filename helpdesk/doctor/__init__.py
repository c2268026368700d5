"""`helpdesk doctor`: looks at every part a desk stands on, and says in one sentence what is wrong and what to do."""
