"""The pages of readers, one module for each family."""
