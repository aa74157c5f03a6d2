"""TCP servers of the simulated UR controller, one module for each kind of port."""

__all__ = ['controller', 'rtde']
