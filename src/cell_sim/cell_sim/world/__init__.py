"""The simulated world: trays, parts, gripper, ground truth."""
