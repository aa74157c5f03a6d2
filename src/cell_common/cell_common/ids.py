"""Unique, time-ordered identifiers."""

import uuid_utils

__all__ = ['new_id']


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) as text: unique, and sorted by the time it was made."""
    return str(uuid_utils.uuid7())
