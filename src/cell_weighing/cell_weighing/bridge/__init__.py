"""Connects indicators over TCP, and records each of their lines in the journal."""
