"""The publications: a site with its topics, and the queues where its tickets wait."""
