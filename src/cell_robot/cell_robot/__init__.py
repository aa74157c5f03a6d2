"""Connection to the robot: backends, motion planning, the protocols of the UR controller, and the robot node.

Other packages use the submodules listed here.
"""

__all__ = ['clients', 'motion', 'node', 'protocols', 'recipe_file', 'robot_modes', 'testing']
