"""Parameters of the world node."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cell_common.catalogue import EVENT_LETTERS
from cell_common.parameters import ParameterError, parameter

from cell_sim.letters.client import LettersSettings
from cell_sim.scales.fleet import ScaleSettings
from cell_sim.scales.indicator import check_template
from cell_sim.simulation import CameraSettings


@dataclass(frozen=True)
class WorldParameters:
    """How the simulated world is made up."""

    catalogue_file: str = parameter('', 'The part catalogue (YAML) whose parts lie in the trays.')
    seed: int = parameter(
        1, 'Seed of everything that is left to rng; the same seed gives the same world.', minimum=0, maximum=2**31 - 1
    )
    wrong_share: float = parameter(0.0, 'Share of pieces that are another part than the tray says.', minimum=0.0, maximum=1.0)
    unreadable_share: float = parameter(0.0, 'Share of pieces whose print cannot be read.', minimum=0.0, maximum=1.0)
    time_scale: float = parameter(1.0, 'How many times faster than in life arm and bag filler are.', minimum=0.1, maximum=100.0)
    robot_host: str = parameter('127.0.0.1', 'Host of the robot node that the simulated UR program dials.')
    robot_port: int = parameter(50010, 'TCP port of the robot node; 0 = no simulated robot.', minimum=0, maximum=65535)
    framing: str = parameter(
        'line', 'How the UR program frames letters; must be as the robot node has it.', choices=('line', 'bare')
    )
    bare_reply: str = parameter(
        'ack',
        'In framing bare: ack = one answer, at the end of a movement; ack_done = ack at its '
        'start and done at its end. Must be as the robot node has it.',
        choices=('ack', 'ack_done'),
    )
    event_letters: list[str] = parameter([''], 'Other letters for events, as EVENT=letter; must be as the robot node has them.')
    ur_address: str = parameter(
        '',
        'Address that a simulated UR controller listens on, at the ports of a real one (29999, '
        '30001 to 30004); "" = there is none.',
    )
    recipe_file: str = parameter(
        '',
        'With ur_address: where that arm picks, shows and puts down (YAML, as '
        'config/recipe.yaml): its gripper then handles the pieces; "" = it moves in the empty.',
    )
    camera: bool = parameter(True, 'Whether there is a simulated network camera.')
    camera_address: str = parameter('127.0.0.1', 'Address that the simulated camera listens on.')
    camera_port: int = parameter(8090, 'TCP port of the simulated camera; 0 = any free one.', minimum=0, maximum=65535)
    frame_rate: float = parameter(10.0, 'Frames per second of the simulated camera.', unit='Hz', minimum=0.5, maximum=60.0)
    scene: str = parameter(
        'labels', 'What the robot holds up: rendered labels, or photographs out of a folder.', choices=('labels', 'photos')
    )
    folder: str = parameter('', 'Folder of photographs with their truth.json, for scene photos.')
    scale_host: str = parameter('127.0.0.1', 'Host of the scale bridge that the simulated indicators dial.')
    scale_port: int = parameter(10001, 'TCP port of the scale bridge; 0 = no simulated scales.', minimum=0, maximum=65535)
    scale_ids: list[str] = parameter(['1', '2'], 'Ids of the simulated indicators, as typed into their print formats.')
    scale_count: int = parameter(
        0, 'How many indicators there are; 0 = as many as scale_ids, more are named by numbers.', minimum=0, maximum=1000
    )
    stations: list[str] = parameter(['A', 'B'], 'Station of each indicator, in the order of scale_ids.')
    print_format: str = parameter(
        'legacy',
        'What indicators send: "id,weight unit", an extended format, the one in print_template, or SMA replies.',
        choices=('legacy', 'extended', 'template', 'sma'),
    )
    print_template: str = parameter(
        '',
        'Print format of the indicators for print_format template: literal characters and '
        'tokens {id} {mode} {status} {weight} {unit} {tare} {tare_status} {date} {time}.',
    )
    decimal_comma: bool = parameter(False, 'The indicators print a comma where others print a decimal point.')
    scale_source: str = parameter(
        '',
        'Address that the first indicator dials from, each that follows takes the next one '
        '(127.0.1.1, 127.0.1.2, ...); "" = whichever. SMA replies name no scale: the address does.',
    )
    stream_rate: float = parameter(
        0.0, 'Lines that an indicator sends unasked; 0 = one line for each bag.', unit='Hz', minimum=0.0, maximum=100.0
    )
    division: float = parameter(0.005, 'Smallest step of the indicators.', unit='kg', minimum=0.00001, maximum=10.0)
    bag_period: float = parameter(
        4.0, 'Time from bag to bag at a station with an active weigh job.', unit='s', minimum=0.1, maximum=3600.0
    )
    bag_out_share: float = parameter(0.05, 'Share of bags that are filled far off the target.', minimum=0.0, maximum=1.0)
    truth_file: str = parameter('', 'File that gets the truth of what happened, JSON lines, for tests; "" = none.')

    def robot(self) -> LettersSettings | None:
        """Return how the robot is simulated, None when it is not."""
        if not self.robot_port:
            return None
        return LettersSettings(
            self.robot_host,
            self.robot_port,
            self.framing,
            self.bare_reply,
            self.time_scale,
            {**EVENT_LETTERS, **self._letters()},
        )

    def network_camera(self) -> CameraSettings | None:
        """Return how the camera is simulated, None when it is not."""
        return CameraSettings(self.camera_port, self.camera_address, self.frame_rate) if self.camera else None

    def scales(self) -> ScaleSettings | None:
        """Return how the scales are simulated, None when they are not."""
        if not self.scale_port:
            return None
        more = (str(number) for number in range(1, self.scale_count + 1))
        ids = [*self.scale_ids, *(number for number in more if number not in self.scale_ids)]
        return ScaleSettings(
            self.scale_host,
            self.scale_port,
            ids[: self.scale_count or len(self.scale_ids)],
            self.stations,
            self._format(),
            self.stream_rate,
            Decimal(repr(self.division)),
            self.bag_period / self.time_scale,
            self.bag_out_share,
            self.decimal_comma,
            self.scale_source,
        )

    def _format(self) -> str:
        """Return the print format.

        Raises:
            ParameterError: The template cannot be used.
        """
        if self.print_format != 'template':
            return self.print_format
        try:
            check_template(self.print_template)
        except ValueError as problem:
            raise ParameterError(f'parameter "print_template": {problem}. Correct it in the parameter file.') from problem
        return self.print_template

    def _letters(self) -> dict[str, str]:
        """Return the letters of `event_letters`.

        Raises:
            ParameterError: An entry is not EVENT=letter.
        """
        letters = {}
        for entry in filter(None, self.event_letters):
            event, _, letter = entry.partition('=')
            if event not in EVENT_LETTERS or len(letter) != 1:
                raise ParameterError(
                    f'parameter "event_letters" holds {entry!r}; allowed: EVENT=letter with one of '
                    f'{", ".join(EVENT_LETTERS)}. Correct it in the parameter file.'
                )
            letters[event] = letter
        return letters
