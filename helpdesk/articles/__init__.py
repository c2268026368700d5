"""The published pages that readers write about: one article for each canonical address."""
