"""Simulated UR controller: dashboard, primary, secondary, real-time and RTDE ports before one model of an e-Series arm."""

__all__ = ['controller', 'letters_program', 'ports', 'states']
