"""Fault injection: the faults that are pending for one simulated device.

Each device declares a table of its faults, injects by name, and asks for a pending fault where it
takes effect. Three kinds of access fit three kinds of faults:

- `consume`: counted ("the next 3 lines"); each call uses one.
- `take`: a single occurrence with a value ("offline for 2 s"); removed by the call.
- `value`: lasting until `clear`.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ['FaultInjector', 'UnknownFaultError']


class UnknownFaultError(ValueError):
    """No such fault exists; the text lists the known ones."""


class FaultInjector:
    """Pending faults of one device. Not thread-safe: the device's event loop owns it.

    Attributes:
        known: Name -> (description for the operator, default value).
    """

    def __init__(self, known: Mapping[str, tuple[str, float]]) -> None:
        """Create an injector without pending faults.

        Args:
            known: Name -> (description for the operator, default value).
        """
        self.known = known
        self._pending: dict[str, float] = {}

    def inject(self, fault: str, value: float = 0.0) -> str:
        """Make a fault pending and return a description of its effect.

        A fault that is still pending is replaced, not added up.

        Args:
            fault: One of the known names.
            value: Count or seconds, depending on the fault; 0 or less = the default.

        Returns:
            Description and value, for the operator.

        Raises:
            UnknownFaultError: No such fault exists.
        """
        if fault not in self.known:
            raise UnknownFaultError(
                f'no fault "{fault}"; known faults: '
                + '; '.join(f'{name} ({meaning}, default {default:g})' for name, (meaning, default) in self.known.items())
            )
        meaning, default = self.known[fault]
        self._pending[fault] = value if value > 0 else default
        return f'{meaning}: {self._pending[fault]:g}'

    def consume(self, fault: str) -> bool:
        """Use one occurrence of a counted fault; return True if one was pending.

        Args:
            fault: Name of the fault; an unknown one is never pending.
        """
        left = self._pending.get(fault, 0.0)
        if left < 1:
            return False
        self._pending[fault] = left - 1
        return True

    def value(self, fault: str) -> float:
        """Return the value of a lasting fault, 0 if it is not pending; it stays until `clear`."""
        return self._pending.get(fault, 0.0)

    def take(self, fault: str) -> float:
        """Remove a fault and return its value; 0 if it was not pending."""
        return self._pending.pop(fault, 0.0)

    def clear(self) -> None:
        """Remove all pending faults."""
        self._pending.clear()
