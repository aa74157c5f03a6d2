"""Helpers for tests: a UR program on a real socket; `arm_backends` makes backends for a simulated robot, `fake_hub` a hub."""

from cell_robot.testing.fake_program import FakeProgram, acknowledge, drop, finish, keep_silent, refuse

__all__ = ['FakeProgram', 'acknowledge', 'arm_backends', 'drop', 'fake_hub', 'finish', 'keep_silent', 'refuse']
