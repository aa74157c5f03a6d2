"""Unique, time-ordered identifiers."""

import uuid_utils

__all__ = ['new_id']


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) as text; its order as text is the order of creation.

    The first 48 bits are the wall clock in milliseconds. Database indexes stay compact, because new rows are appended at their
    end. After a clock was set back the order is wrong until it has caught up: use a sequence where order matters.
    """
    return str(uuid_utils.uuid7())
