"""Simulated world: UR controller, camera and scales that speak the devices' real protocols over real sockets.

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
