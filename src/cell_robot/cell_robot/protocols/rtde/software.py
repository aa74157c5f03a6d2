"""Software versions of controllers that backend rtde can use.

The dashboard tells remote control, arm model and serial number from PolyScope 5.6 on (Universal Robots, "Dashboard Server
e-Series"). A CB3 controller (PolyScope 3) has no remote control, PolyScope X (10 and later) has no dashboard.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from cell_robot.protocols.rtde.session import SoftwareVersion

OLDEST = (5, 6)
"""Oldest PolyScope of backend rtde: major and minor number."""
FIRST_X = 10
"""First major number of PolyScope X."""


def unsupported_version(version: SoftwareVersion) -> str:
    """Return why backend rtde cannot use a controller, with the remedy; "" when it can."""
    name = software_name(version)
    if version[0] < OLDEST[0]:
        return (
            f'this is a CB3 controller ({name}), which cannot tell whether it is in remote control: use backend letters, or '
            'backend ros_driver with driver_dashboard false'
        )
    if version[0] >= FIRST_X:
        return (
            f'the controller runs PolyScope X ({name}), which has no dashboard: use backend ros_driver with driver_dashboard '
            'false'
        )
    if version[:2] < OLDEST:
        return f'the controller runs {name}, backend rtde needs {OLDEST[0]}.{OLDEST[1]} or later: update it on the pendant'
    return ''


def software_name(version: SoftwareVersion) -> str:
    """Return a version as text for the operator, e.g. "PolyScope 5.11.1"."""
    return f'PolyScope {".".join(map(str, version[:3]))}'
