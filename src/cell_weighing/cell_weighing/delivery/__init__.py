"""Delivery of bags to the web application: outbox, retries, dead letters."""
