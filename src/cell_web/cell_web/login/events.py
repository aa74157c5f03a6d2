"""What the audit keeps of logins.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ['LoginEvent']


@dataclass(frozen=True)
class LoginEvent:
    """Something for the audit.

    Attributes:
        name: "login", "logout" or "login/first".
        user: As typed.
        role: Of the user; "" when refused.
        address: IP address of the client.
        refusal: Why it was refused; "" = it was not.
    """

    name: str
    user: str
    role: str
    address: str
    refusal: str = ''
