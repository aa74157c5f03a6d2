"""What can go wrong with a simulated UR controller on request."""

from __future__ import annotations

FAULTS = {
    'protective_stop': ('a contact: the arm stops, to be unlocked through the dashboard, times', 1.0),
    'emergency_stop': ('the emergency stop is pressed and turned back after seconds', 5.0),
    'safeguard_stop': ('the safeguard opens and is reset after seconds', 3.0),
    'disconnect': ('every connection breaks and every port is closed, seconds', 2.0),
    'stall': ('connections stand, but no data and no answer comes, seconds', 3.0),
    'refuse': ('the next dashboard commands are refused, times', 1.0),
    'late': ('the next dashboard command is answered so much later, seconds', 5.0),
    'never': ('the next dashboard commands are neither carried out nor answered, times', 1.0),
    'script_refuse': ('the next programs on 30001 to 30003 are refused, times', 1.0),
    'script_late': ('the next program on 30001 to 30003 begins so much later, seconds', 2.0),
    'script_never': ('the next programs on 30001 to 30003 are thrown away without a word, times', 1.0),
    'rtde_refuse': ('the next RTDE recipes and starts are refused, times', 1.0),
    'rtde_late': ('the next RTDE package is taken so much later, and those after it, seconds', 1.0),
    'rtde_never': ('the next RTDE packages are neither taken nor answered, times', 1.0),
    'clear': ('armed faults are forgotten and a stall ends now', 1.0),
    'reboot': ('the controller switches off and on, ports are closed for seconds', 5.0),
    'attend': ('a person at the pendant clears the stop, switches the arm on and starts its program now', 1.0),
    'local_mode': ('somebody takes the controller into local mode, seconds', 5.0),
}
