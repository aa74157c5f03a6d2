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
    """Devices and contents of the simulated world."""

    catalogue_file: str = parameter('', 'Part catalogue (YAML) with the parts in the trays.')
    seed: int = parameter(1, 'Seed of all random choices; the same seed gives the same world.', minimum=0, maximum=2**31 - 1)
    wrong_share: float = parameter(0.0, 'Share of pieces with another part number than the tray.', minimum=0.0, maximum=1.0)
    unreadable_share: float = parameter(0.0, 'Share of pieces with an unreadable print.', minimum=0.0, maximum=1.0)
    time_scale: float = parameter(1.0, 'Speed of arm and bag filler relative to real ones.', minimum=0.1, maximum=100.0)
    robot_host: str = parameter('127.0.0.1', 'Host of the robot node that the simulated UR program connects to.')
    robot_port: int = parameter(50010, 'TCP port of the robot node; 0 = no simulated robot.', minimum=0, maximum=65535)
    framing: str = parameter('line', 'Framing of the letters; must be the same as in the robot node.', choices=('line', 'bare'))
    bare_reply: str = parameter(
        'ack',
        'Replies in framing bare: ack = one reply at the end of a movement; ack_done = ack at its '
        'start and done at its end. Must be the same as in the robot node.',
        choices=('ack', 'ack_done'),
    )
    event_letters: list[str] = parameter(
        [''], 'Other letters for events, as EVENT=letter; must be the same as in the robot node.'
    )
    ur_address: str = parameter(
        '',
        'Address of a simulated UR controller, which listens on the ports of a real one (29999, '
        '30001 to 30004); "" = no controller.',
    )
    recipe_file: str = parameter(
        '',
        'With ur_address: poses at which the arm picks, shows and places (YAML, as '
        'config/recipe.yaml), so that its gripper handles the pieces; "" = the arm moves without pieces.',
    )
    stock_wait: float = parameter(
        10.0,
        'Longest time until the simulated robot is ready; it waits for the first stock report of the ledger, which fills its '
        'trays. 0 = ready at once.',
        unit='s',
        minimum=0.0,
        maximum=600.0,
    )
    camera: bool = parameter(True, 'Run a simulated network camera.')
    camera_address: str = parameter('127.0.0.1', 'Address that the simulated camera listens on.')
    camera_port: int = parameter(8090, 'TCP port of the simulated camera; 0 = any free one.', minimum=0, maximum=65535)
    frame_rate: float = parameter(10.0, 'Frames per second of the simulated camera.', unit='Hz', minimum=0.5, maximum=60.0)
    scene: str = parameter(
        'labels', 'Source of the images: rendered labels, or photographs from a folder.', choices=('labels', 'photos')
    )
    folder: str = parameter('', 'Folder of photographs with their truth.json, for scene photos.')
    scale_host: str = parameter('127.0.0.1', 'Host of the scale bridge that the simulated indicators connect to.')
    scale_port: int = parameter(10001, 'TCP port of the scale bridge; 0 = no simulated scales.', minimum=0, maximum=65535)
    scale_ids: list[str] = parameter(['1', '2'], 'Ids of the simulated indicators, as in their print formats.')
    scale_count: int = parameter(
        0, 'Number of indicators; 0 = as many as scale_ids. Further ones get numbers as ids.', minimum=0, maximum=1000
    )
    stations: list[str] = parameter(['A', 'B'], 'Station of each indicator, in the order of scale_ids.')
    print_format: str = parameter(
        'legacy',
        'Output of the indicators: "id,weight unit", an extended format, print_template, or SMA replies.',
        choices=('legacy', 'extended', 'template', 'sma'),
    )
    print_template: str = parameter(
        '',
        'Print format of the indicators for print_format template: literal characters and '
        'tokens {id} {mode} {status} {weight} {unit} {tare} {tare_status} {date} {time}.',
    )
    decimal_comma: bool = parameter(False, 'The indicators print a comma as the decimal separator.')
    scale_source: str = parameter(
        '',
        'Local address of the first indicator; each further one uses the next address '
        '(127.0.1.1, 127.0.1.2, ...); "" = the system chooses. '
        'SMA replies carry no scale id: the bridge identifies a scale by its address.',
    )
    stream_rate: float = parameter(
        0.0,
        'Lines that an indicator sends without a request; 0 = one line for each bag.',
        unit='Hz',
        minimum=0.0,
        maximum=100.0,
    )
    division: float = parameter(0.005, 'Smallest step of the indicators.', unit='kg', minimum=0.00001, maximum=10.0)
    bag_period: float = parameter(
        4.0, 'Time from bag to bag at a station with an active weigh job.', unit='s', minimum=0.1, maximum=3600.0
    )
    bag_out_share: float = parameter(0.05, 'Share of bags with a weight far off the target.', minimum=0.0, maximum=1.0)
    truth_file: str = parameter('', 'Ground truth log of the simulated world (JSON lines), for tests; "" = no log.')

    def robot(self) -> LettersSettings | None:
        """Return the settings of the simulated UR program, None if it is off.

        Raises:
            ParameterError: `event_letters` is invalid.
        """
        if not self.robot_port:
            return None
        return LettersSettings(
            host=self.robot_host,
            port=self.robot_port,
            framing=self.framing,
            bare_reply=self.bare_reply,
            time_scale=self.time_scale,
            event_letters={**EVENT_LETTERS, **self._letters()},
        )

    def network_camera(self) -> CameraSettings | None:
        """Return the settings of the simulated camera, None if it is off."""
        return CameraSettings(self.camera_port, self.camera_address, self.frame_rate) if self.camera else None

    def scales(self) -> ScaleSettings | None:
        """Return the settings of the simulated scales, None if they are off.

        Raises:
            ParameterError: `print_template` is invalid.
        """
        if not self.scale_port:
            return None
        more = (str(number) for number in range(1, self.scale_count + 1))
        ids = [*self.scale_ids, *(number for number in more if number not in self.scale_ids)]
        return ScaleSettings(
            host=self.scale_host,
            port=self.scale_port,
            scale_ids=ids[: self.scale_count or len(self.scale_ids)],
            stations=self.stations,
            print_format=self._format(),
            stream_rate=self.stream_rate,
            division=Decimal(repr(self.division)),
            bag_period=self.bag_period / self.time_scale,
            out_share=self.bag_out_share,
            decimal_comma=self.decimal_comma,
            source=self.scale_source,
        )

    def _format(self) -> str:
        """Return the print format.

        Raises:
            ParameterError: The template is invalid.
        """
        if self.print_format != 'template':
            return self.print_format
        try:
            check_template(self.print_template)
        except ValueError as error:
            raise ParameterError(f'parameter "print_template": {error}. Correct it in the parameter file.') from error
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
