"""Delays after wrong passwords, so that guessing takes too long.

A name that is tried from one address has a few free tries, then each further one must wait longer. An address has more free
tries over all names, and a name more over all addresses: a stranger cannot lock an operator out from elsewhere soon, nor try
one password with every name. The caller refuses without a look at the password while a delay runs, and says nothing about it.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

__all__ = ['LoginAttempts']

FREE_OF_PAIR, FREE_OF_ADDRESS, FREE_OF_NAME = 5, 20, 100
"""Wrong tries without a delay: of a name from one address, of an address, of a name."""
FIRST_DELAY_S, LONGEST_DELAY_S = 2.0, 300.0
FORGOTTEN_S = 1800.0
"""Tries are forgotten this long after the last one."""
MOST_KEYS = 20_000


@dataclass
class _Failures:
    count: int = 0
    last_s: float = 0.0


class LoginAttempts:
    """Wrong tries by name and address; the oldest are dropped beyond MOST_KEYS."""

    def __init__(self) -> None:
        """Start without any try."""
        self._failures: OrderedDict[tuple[str, str, str], _Failures] = OrderedDict()

    def must_wait(self, name: str, address: str, now_s: float) -> bool:
        """Return whether a try must be refused unseen.

        Args:
            name: As typed.
            address: IP address of the client.
            now_s: Seconds of a monotonic clock.
        """
        for key, free in _keys(name, address):
            failures = self._current(key, now_s)
            if failures is not None and now_s < failures.last_s + _delay_s(failures.count - free):
                return True
        return False

    def begin(self, name: str, address: str, now_s: float) -> None:
        """Count a try before its password is checked, so that tries at the same time are no gain; see `must_wait`."""
        for key, _ in _keys(name, address):
            failures = self._current(key, now_s) or _Failures()
            failures.count, failures.last_s = failures.count + 1, now_s
            self._failures[key] = failures
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Take back a try that was right. The earlier tries of the name from this address are forgotten, too."""
        (pair, _), *others = _keys(name, address)
        self._failures.pop(pair, None)
        for key, _ in others:
            if (failures := self._failures.get(key)) is not None:
                failures.count -= 1

    def _current(self, key: tuple[str, str, str], now_s: float) -> _Failures | None:
        failures = self._failures.get(key)
        return failures if failures is not None and now_s - failures.last_s < FORGOTTEN_S else None


def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str, str], int], ...]:
    """Return the keys under which a try is counted, each with its free tries."""
    name, network = name.strip().casefold()[:100], _network(address)
    return (
        (('name at address', name, network), FREE_OF_PAIR),
        (('address', '', network), FREE_OF_ADDRESS),
        (('name', name, ''), FREE_OF_NAME),
    )


def _network(address: str) -> str:
    """Return what one person has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address or 'unknown'
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _delay_s(beyond: int) -> float:
    """Return the delay after a try, which doubles; 0 for the free ones."""
    return 0.0 if beyond < 0 else min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(beyond, 20))
