"""Simulated world: UR controller, camera and scales that speak the devices' real protocols over real sockets.

The nodes of the cell run unchanged against these devices. A device is only a client
or a server on a socket, and shows the faults that a real one shows in the field.

Layers, from the inside out:

- `world`: trays, gripper and parts. One model, shared by all devices.
- `camera`, `scales`, `letters`, `ur_controller`: one folder per device, protocol rules apart from
  their sockets.
- `simulation`: all devices on one asyncio loop. Tests use this layer directly.
- `node`, `ur_driver`: ROS nodes around it.

The public submodules are listed in `__all__`. Each of them names its own public modules or classes.
"""

__all__ = [
    'camera',
    'faults',
    'letters',
    'net',
    'node',
    'parameters',
    'scales',
    'simulation',
    'testing',
    'ur_controller',
    'ur_driver',
    'world',
]
