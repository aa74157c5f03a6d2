"""Misbehaviour on request: what a simulated device has been told to do wrong next."""

from __future__ import annotations

from collections.abc import Mapping


class UnknownFaultError(ValueError):
    """There is no such fault; the text names those that there are."""


class Faults:
    """The faults armed for one device."""

    def __init__(self, known: Mapping[str, tuple[str, float]]) -> None:
        """Know what may be armed.

        Args:
            known: Name -> (what it does, for people; default amount).
        """
        self.known = known
        self._pending: dict[str, float] = {}

    def inject(self, fault: str, value: float = 0.0) -> str:
        """Arm a fault and return what will happen.

        Args:
            fault: One of the known names.
            value: Its amount (times or seconds); 0 = the default.

        Raises:
            UnknownFaultError: There is no such fault.
        """
        if fault not in self.known:
            raise UnknownFaultError(
                f'no fault "{fault}"; there are: '
                + '; '.join(f'{name} ({meaning}, default {default:g})' for name, (meaning, default) in self.known.items())
            )
        meaning, default = self.known[fault]
        self._pending[fault] = value if value > 0 else default
        return f'{meaning}: {self._pending[fault]:g}'

    def consume(self, fault: str) -> bool:
        """Use up one time of a fault whose amount counts times; return whether it was armed."""
        left = self._pending.get(fault, 0.0)
        if left < 1:
            return False
        self._pending[fault] = left - 1
        return True

    def take(self, fault: str) -> float:
        """Use up a fault and return its amount; 0 when it was not armed."""
        return self._pending.pop(fault, 0.0)

    def clear(self) -> None:
        """Forget every fault that is armed."""
        self._pending.clear()
