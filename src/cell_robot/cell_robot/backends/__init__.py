"""Backends: the ways to drive a robot. `base` is the contract, `factory` chooses one."""
