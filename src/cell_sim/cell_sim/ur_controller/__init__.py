"""Simulated UR controller: dashboard, primary, secondary, real-time and RTDE ports before one model of an e-Series arm.

`controller.Controller` is the model: modes, safety, program and arm, advanced by `step`. The
modules beside it translate between the model and one interface each (`dashboard`, `primary`,
`realtime`, `rtde`, `scripts`). `ports` puts them on TCP.

URScript is not interpreted. A received program is recognized by its name, and a native counterpart
runs in its place (`control_script`, `external_control`, `letters_program`).
"""

__all__ = ['controller', 'letters_program', 'ports', 'states']
