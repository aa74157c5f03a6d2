"""Unique, time-ordered identifiers."""

import uuid_utils

__all__ = ['new_id']


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) as text; its order as text is the order of creation."""
    return str(uuid_utils.uuid7())
