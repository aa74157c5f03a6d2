"""One user of the cell.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ['User']


@dataclass(frozen=True)
class User:
    """One person.

    Attributes:
        name: As shown and recorded with each command. Names that differ in case only are the same.
        role: Name of a role.
        password_hash: Argon2 hash.
        changed_at: When role or password were changed last, ISO 8601. Sessions of before end.
    """

    name: str
    role: str
    password_hash: str
    changed_at: str
