"""Faults of the campaign: the injections for each backend, and the reasons that a paused job may give."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOMENTS = 10
"""Moments of a piece, from the trigger of its pick to its ledger entry."""
Injection = tuple[tuple[str, str, float], ...]
"""(device, fault, value) of sim/fault."""
CONTROL = 'control'
"""Device name of the control process of the rtde backend, which is ended by SIGKILL."""
LOST = r'connection|connected|not heard|lost|acknowledg|not done|reset|backend|no data|stale|old'


@dataclass(frozen=True)
class Fault:
    """One fault of the robot."""

    name: str
    letters: Injection
    controller: Injection
    """Injection for a backend that uses the controller's ports."""
    reason: str
    """Pattern of the reason on a backend that knows the controller's state (the letters backend only knows that replies are
    missing)."""
    lasts: float = 0.0
    """Seconds for which the fault may still have an effect."""
    within: float = float('inf')
    """Seconds from the fault until the job is paused with its reason, or has ended."""
    proceeds: bool = False
    """The operator presses Continue where the job offers it, instead of a recovery."""

    def on(self, backend: str) -> Injection:
        """Return the injection for a backend."""
        return self.letters if backend == 'letters' else self.controller

    def true(self, backend: str, reason: str) -> bool:
        """Return True if the reason of a pause is true."""
        return re.search(LOST + '|refused' if backend == 'letters' else self.reason, reason, re.IGNORECASE) is not None


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
PEOPLE = {
    fault.name: fault
    for fault in (
        Fault('stop_between_steps', **_both('stop_program'), reason=STOPPED),
        Fault('local_mode', **_both('local_mode', 1.0), reason='local mode', lasts=1.0),
        Fault(
            'foreign_program', **_both('foreign_program'), reason='another program|without a command|' + LOST + '|' + STOPPED
        ),
        Fault('slider_at_zero', **_both('slider', 1.0), reason='speed slider', lasts=1.0),
        Fault(
            'registers_taken',
            (),
            (('ur', 'stop_program', 0.0), ('ur', 'registers_taken', 3.0)),
            reason=STOPPED + '|owns',
            lasts=3.0,
        ),
        Fault('wrong_model', (), (('ur', 'other_model', 0.1),), reason=r'mm|ur\d|model|' + STOPPED),
        Fault('part_lost', (), (('gripper', 'slip', 0.01),), reason=r'lost|no piece|gripper|sensor'),
        Fault('safeguard_continue', **_both('safeguard_stop', 1.0), reason=r'safeguard|' + STOPPED, lasts=1.0, proceeds=True),
        Fault('slow_dashboard', **_both('slow_dashboard', 1.5), reason='dashboard|answer'),
    )
}
"""What people and other clients do to a controller that the cell drives itself."""
CRASH = Fault('control_killed', (), ((CONTROL, 'kill', 0.0),), 'control process', within=5.0)
"""Only the rtde backend has a control process."""
