"""The operators' page and the only door to it."""
