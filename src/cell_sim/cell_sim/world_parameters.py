"""Parameters of the world node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter


@dataclass(frozen=True)
class WorldParameters:
    """How the simulated world is made up."""

    catalogue_file: str = parameter('', 'The part catalogue (YAML) whose parts lie in the trays.')
    seed: int = parameter(1, 'Seed of everything that is left to chance; the same seed gives the same world.', minimum=0,
                          maximum=2**31 - 1)
    wrong_share: float = parameter(0.0, 'Share of pieces that are another part than the tray says.', minimum=0.0, maximum=1.0)
    unreadable_share: float = parameter(0.0, 'Share of pieces whose print cannot be read.', minimum=0.0, maximum=1.0)
    time_scale: float = parameter(1.0, 'How many times faster than in life arm and bag filler are.', minimum=0.1, maximum=100.0)
    robot_host: str = parameter('127.0.0.1', 'Host of the robot node that the simulated UR program dials.')
    robot_port: int = parameter(50010, 'TCP port of the robot node; 0 = no simulated robot.', minimum=0, maximum=65535)
    framing: str = parameter('line', 'How the UR program frames letters; must be as the robot node has it.',
                             choices=('line', 'bare'))
    bare_done: bool = parameter(True, 'In framing bare, whether the program answers "done" at the end of a movement.')
    camera: bool = parameter(True, 'Whether there is a simulated network camera.')
    camera_address: str = parameter('127.0.0.1', 'Address that the simulated camera listens on.')
    camera_port: int = parameter(8090, 'TCP port of the simulated camera; 0 = any free one.', minimum=0, maximum=65535)
    frame_rate: float = parameter(10.0, 'Frames per second of the simulated camera.', unit='Hz', minimum=0.5, maximum=60.0)
    scene: str = parameter('labels', 'What the robot holds up: rendered labels, or photographs out of a folder.',
                           choices=('labels', 'photos'))
    folder: str = parameter('', 'Folder of photographs with their truth.json, for scene photos.')
    truth_file: str = parameter('', 'File that gets the truth of what happened, JSON lines, for tests; "" = none.')
