"""The faults of the campaign: what each one is on each link, and what the job may say when it pauses."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOMENTS = 10
"""Of a piece, from the trigger of its pick to its booking."""
Injection = tuple[tuple[str, str, float], ...]
"""(device, fault, value) of sim/fault."""
CONTROL = 'control'
"""Stands for the control process of the rtde link, which is ended by SIGKILL."""
LOST = r'connection|connected|not heard|lost|acknowledg|not done|reset|link|no data|stale|old'


@dataclass(frozen=True)
class Fault:
    """One way in which a robot goes wrong."""

    name: str
    letters: Injection
    controller: Injection
    """On a link that speaks to the controller's own ports."""
    reason: str
    """What a link that knows the controller's state may give as the reason (the letters link knows only that answers are
    missing)."""
    lasts: float = 0.0
    """It may still do something by itself for so many seconds."""
    within: float = float('inf')
    """Seconds from the fault until the job rests with its reason, or has ended."""

    def on(self, link: str) -> Injection:
        """Return what is injected on a link."""
        return self.letters if link == 'letters' else self.controller

    def true(self, link: str, reason: str) -> bool:
        """Say whether a pause gives a true reason."""
        return re.search(LOST + '|refused' if link == 'letters' else self.reason, reason, re.IGNORECASE) is not None


def _both(fault: str, value: float = 0.0) -> dict[str, Injection]:
    return {'letters': (('ur', fault, value),), 'controller': (('ur', fault, value),)}


STOPPED = r'stop|pause|program|moving|halted'
FAULTS = {
    fault.name: fault
    for fault in (
        Fault('protective_stop', **_both('protective_stop'), reason=r'protective'),
        Fault('emergency_stop', **_both('emergency_stop', 0.5), reason=r'emergency|power|' + STOPPED, lasts=0.5),
        Fault('safeguard_stop', **_both('safeguard_stop', 1.0), reason=r'safeguard|' + STOPPED, lasts=1.0),
        Fault('drop_socket', (('robot', 'disconnect', 0.4),), (('ur', 'disconnect', 0.4),), LOST + '|' + STOPPED, 0.4),
        Fault('stall', (('robot', 'silent', 2.5),), (('ur', 'stall', 2.0),), LOST + '|' + STOPPED, 2.5),
        Fault(
            'refuse',
            (('robot', 'refuse', 1.0),),
            (('ur', 'disconnect', 0.2), ('ur', 'refuse', 1.0), ('ur', 'rtde_refuse', 1.0), ('ur', 'script_refuse', 1.0)),
            LOST + '|refuse|' + STOPPED,
            0.2,
        ),
        Fault(
            'late',
            (('robot', 'late', 1.0),),
            (('ur', 'late', 1.0), ('ur', 'rtde_late', 1.0), ('ur', 'script_late', 1.0)),
            LOST + '|late|answer|' + STOPPED,
            1.0,
        ),
        Fault(
            'never',
            (('robot', 'no_ack', 1.0), ('robot', 'no_done', 1.0)),
            (('ur', 'never', 1.0), ('ur', 'rtde_never', 250.0), ('ur', 'script_never', 1.0)),
            LOST + '|answer|' + STOPPED,
            2.0,
        ),
        Fault('reboot', **_both('reboot', 0.5), reason=LOST + '|boot|power|' + STOPPED, lasts=0.5),
    )
}
CRASH = Fault('control_killed', (), ((CONTROL, 'kill', 0.0),), 'control process', within=5.0)
"""Only the rtde link has a process to lose."""
