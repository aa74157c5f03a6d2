"""Faults of the simulated UR controller: name -> (description, default value).

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

FAULTS = {
    'protective_stop': ('a contact: the arm stops and must be unlocked through the dashboard, times', 1.0),
    'emergency_stop': ('the emergency stop is pressed and released after seconds', 5.0),
    'safeguard_stop': ('the safeguard opens and is reset after seconds', 3.0),
    'disconnect': ('all connections drop and all ports are closed, seconds', 2.0),
    'stall': ('connections stay open, but no data and no reply is sent, seconds', 3.0),
    'refuse': ('the next dashboard commands are refused, times', 1.0),
    'late': ('the reply to the next dashboard command is delayed, seconds', 5.0),
    'never': ('the next dashboard commands are neither executed nor answered, times', 1.0),
    'script_refuse': ('the next programs on 30001 to 30003 are refused, times', 1.0),
    'script_late': ('the start of the next program on 30001 to 30003 is delayed, seconds', 2.0),
    'script_never': ('the next programs on 30001 to 30003 are discarded silently, times', 1.0),
    'rtde_refuse': ('the next RTDE recipes and starts are refused, times', 1.0),
    'rtde_late': ('the next RTDE package and the following ones are processed with a delay, seconds', 1.0),
    'rtde_never': ('the next RTDE packages are neither processed nor answered, times', 1.0),
    'clear': ('pending faults are removed and a stall ends now', 1.0),
    'reboot': ('the controller restarts, its ports are closed for seconds', 5.0),
    'attend': ('the operator at the pendant clears the stop, switches the arm on and starts its program now', 1.0),
    'stop_program': ('another client, or the pendant, stops the program, times', 1.0),
    'foreign_program': ('another program takes the place of the running one, without a stop in between, times', 1.0),
    'pause_program': ('the pendant pauses the program, times', 1.0),
    'slider': ('the speed slider of the pendant is at 0 %, seconds', 5.0),
    'slow_dashboard': ('each reply of the dashboard is delayed, seconds; cleared by clear', 1.5),
    'chatty_dashboard': ('replies of the dashboard come with extra blanks and lines, times', 100.0),
    'registers_taken': ('a fieldbus owns the lower registers, each as soon as it is free, seconds', 5.0),
    'tool_outputs_taken': ('a URCap owns the tool outputs, seconds', 5.0),
    'other_model': ('the controller drives an arm with a longer upper arm: joints and tool pose no longer fit, meters', 0.1),
    'local_mode': ('the controller is in local mode, seconds', 5.0),
}
