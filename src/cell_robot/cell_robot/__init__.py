"""Connection to the robot: backends, motion planning, the protocols of the UR controller, and the robot node.

    node                  action `trigger`, services, robot/state; chooses a backend and knows none of them
    backends/             letters, hub, rtde, ros_driver: four ways to make an arm execute an event
    motion/               plans for events: kinematics, paths, limits; pure
    protocols/, clients/  RTDE and dashboard: bytes (pure), and asyncio connections
    scene/                node `markers`: trays, pieces and path as shapes for RViz and Foxglove
    teaching/             the recipe filled in place by place, from where the arm stands
    control_process/      the process that holds ur_rtde's control connection
    recovery              what to do after a stop; pure

Other packages use the submodules listed here.
"""

__all__ = ['clients', 'motion', 'node', 'protocols', 'recipe_file', 'robot_modes', 'teaching', 'testing']
