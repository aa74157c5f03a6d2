"""Passwords and PINs: what they must be, and their Argon2id hashes."""

from __future__ import annotations

from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ['PasswordError', 'PasswordHashes', 'check_password']

LEAST_CHARACTERS = 8
LEAST_DIGITS = 6
MOST_CHARACTERS = 200
"""Longer texts are no passwords of people; hashing them costs time."""
_COMMON = frozenset({'password', 'passwort', '12345678', 'qwertyui', 'operator', 'workcell', 'password1', 'maintain'})


class PasswordError(ValueError):
    """A password that cannot be used; the text says what it must be, and never quotes it."""


def check_password(password: str, name: str) -> None:
    """Check a new password or PIN.

    Short ones are acceptable for two reasons: wrong ones are answered late, see `attempts`, and the hash is slow.

    Args:
        password: As typed.
        name: The user's name, which is no password.

    Raises:
        PasswordError: It is too short or too long, or one of the first that a stranger would try.
    """
    if len(password) > MOST_CHARACTERS:
        raise PasswordError(f'the password is longer than {MOST_CHARACTERS} characters')
    least = LEAST_DIGITS if password.isdecimal() else LEAST_CHARACTERS
    if len(password) < least:
        raise PasswordError(
            f'use a password of at least {LEAST_CHARACTERS} characters, or a PIN of at least {LEAST_DIGITS} digits'
        )
    is_row = password.isdecimal() and len({(int(b) - int(a)) % 10 for a, b in pairwise(password)}) == 1
    if is_row or len(set(password)) == 1 or password.casefold() in {*_COMMON, name.casefold()}:
        raise PasswordError('that password is one of the first that a stranger would try: choose another')


class PasswordHashes:
    """Makes and checks hashes. Each call takes some 50 ms of a core: not for an event loop."""

    def __init__(self, memory_kib: int = 65536, passes: int = 3) -> None:
        """Choose the costs.

        Args:
            memory_kib: Memory of one hash, KiB. Default: 64 MiB with three passes, the second recommendation of RFC 9106.
            passes: Passes over the memory.
        """
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._of_nobody = self._hasher.hash('the password of no user')

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its own salt and costs."""
        return self._hasher.hash(password)

    def is_right(self, password: str, hashed: str) -> bool:
        """Return whether a password belongs to a hash.

        Args:
            password: As typed.
            hashed: Of `hash`; "" = there is no such user: the check takes as long, so that the time tells nothing.
        """
        try:
            return self._hasher.verify(hashed or self._of_nobody, password[: MOST_CHARACTERS + 1]) and bool(hashed)
        except (VerificationError, InvalidHashError):
            return False
