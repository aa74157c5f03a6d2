"""Physical state of the simulated cell: parts, trays, gripper, and the log of what really happened."""

__all__ = ['ground_truth', 'parts', 'world']
