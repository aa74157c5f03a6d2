"""Part of cell.launch.py: arguments of the simulated world."""

from __future__ import annotations

from launch.actions import DeclareLaunchArgument

__all__ = ['SIMULATION_ARGUMENTS']

SIMULATION_ARGUMENTS = [
    DeclareLaunchArgument(
        'scene',
        default_value='labels',
        choices=['labels', 'photos'],
        description='Scene of the simulated camera: drawn labels or photographs.',
    ),
    DeclareLaunchArgument('folder', default_value='', description='Folder of photographs with truth.json, for scene:=photos.'),
    DeclareLaunchArgument('seed', default_value='53', description='Seed of the simulated world.'),
    DeclareLaunchArgument('wrong_share', default_value='0.1', description='Share of wrong parts in the simulated trays, 0..1.'),
    DeclareLaunchArgument(
        'unreadable_share', default_value='0.05', description='Share of unreadable parts in the simulated trays, 0..1.'
    ),
    DeclareLaunchArgument(
        'time_scale', default_value='1.0', description='Speed factor of the simulated devices; 1.0 = real time.'
    ),
    DeclareLaunchArgument(
        'truth_file', default_value='', description='File of the ground truth log of the simulation; "" = none.'
    ),
]
