"""Places of a recipe file, and its text with another value at one of them.

Pure: no ROS, sockets, files or clock.

Only the characters of the value are exchanged: comments, order and layout are the integrator's and stay. A tray that several
parts share by a YAML alias is one place, and is changed for all of them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml
from cell_common.yaml_model import YamlDocument, parse_yaml, validate

from cell_robot.motion.kinematics import JointVector
from cell_robot.motion.places import COLUMNS, ROWS, place_name
from cell_robot.motion.poses import Matrix, rotation_to_rpy, rotation_vector
from cell_robot.recipe_model import RecipeModel, SideModel, TrayModel, UnitsModel, trays_by_number

Location = tuple[str, ...]
DESCRIPTIONS = {
    'waypoints.home': 'where the arm waits when there is nothing to do',
    'waypoints.camera': 'where the arm shows a piece to the camera; every move begins and ends here',
    'targets.place': 'where a good piece is put down; the tool center point at the release',
    'targets.reject': 'where a rejected piece is put down',
    'targets.benchmark': 'where the known-good part lies',
}
DECIMALS = {'mm': 2, 'm': 5, 'deg': 3, 'rad': 5}
"""Unit -> decimals in the file: a hundredth of a millimeter, a thousandth of a degree."""


class PlaceKind(enum.IntEnum):
    """What is taken at a place; numbers as in TaughtPlace."""

    JOINTS = 0
    POSE = 1
    STEP = 2


@dataclass(frozen=True)
class Place:
    """One place of the file."""

    name: str
    kind: PlaceKind
    location: Location
    """Keys from the root to the value."""
    description: str
    value: str
    """Value as in the file; "" = not taught."""
    also: tuple[str, ...] = ()
    """Names of the same tray at other parts."""

    @property
    def taught(self) -> bool:
        """Whether the file has a value."""
        return bool(self.value)


class RecipeText:
    """Parsed text of a recipe in which places may be missing."""

    def __init__(self, text: str) -> None:
        """Parse a text.

        Raises:
            YamlError: It is no recipe; the message names every error.
        """
        self.text = text
        self.document: YamlDocument = parse_yaml(text)
        self.model = validate(RecipeModel, self.document)

    def places(self) -> list[Place]:
        """Return all places, each once, in the order in which they are best taught: the camera before all targets."""
        model = self.model
        found = [
            Place(name, PlaceKind.JOINTS, ('waypoints', key), DESCRIPTIONS[name], _value_text(joints))
            for key, joints in model.waypoints
            for name in [place_name('waypoints', key)]
        ]
        found += [
            Place(name, PlaceKind.POSE, ('targets', key, 'pose'), DESCRIPTIONS[name], _value_text(target.pose))
            for key, target in model.targets
            for name in [place_name('targets', key)]
        ]
        return [*found, *self._tray_places()]

    def place(self, name: str) -> Place | None:
        """Return a place by its name, or by that of a part that shares it; None when there is none."""
        return next((place for place in self.places() if name == place.name or name in place.also), None)

    def _tray_places(self) -> Iterator[Place]:
        """Yield the places of each tray; parts with the same YAML anchor share them."""
        shared: dict[int, list[tuple[str, str]]] = {}
        for part_number, number, entry in self._tray_entries():
            shared.setdefault(id(entry), []).append((part_number, number))
        for names in shared.values():
            part_number, number = names[0]
            tray = trays_by_number(self.model.parts[part_number])[int(number)]
            where = ('parts', part_number, number)
            also = tuple(place_name('parts', *other) for other in names[1:])
            name, owner = place_name(*where), f'tray {number} of {part_number}' + (f' and {len(also)} more' if also else '')
            yield Place(name, PlaceKind.POSE, (*where, 'pose'), f'first slot of {owner}', _value_text(tray.pose), also)
            for key, side, text in _sides(tray):
                if side.count > 1:
                    others = tuple(f'{other}.{key}' for other in also)
                    description = f'{text} of {owner}'
                    yield Place(
                        f'{name}.{key}', PlaceKind.STEP, (*where, key, 'step'), description, _value_text(side.step), others
                    )

    def _tray_entries(self) -> Iterator[tuple[str, str, object]]:
        data = self.document.data
        assert isinstance(data, dict)  # validated
        for part_number, trays in data['parts'].items():
            for number, tray in trays.items():
                yield str(part_number), str(number), tray

    def changed(self, place: Place, joints: JointVector, tool: Matrix) -> RecipeText:
        """Return the recipe with the arm's pose as a place.

        Args:
            place: One of `places`.
            joints: Joint angles of the arm, radians.
            tool: Pose of the tool center point, base frame.

        Raises:
            ValueError: A step is taken before the first slot, or at its place.
            YamlError: The text is no recipe any more.
        """
        units = self.model.units
        if place.kind is PlaceKind.JOINTS:
            values = _numbers([angle / units.radians for angle in joints], units.angle)
        elif place.kind is PlaceKind.POSE:
            values = _pose_text(tool, units)
        else:
            values = self._step_text(place, tool, units)
        return RecipeText(_with_value(self.text, place.location, f'[{values}]'))

    def _step_text(self, place: Place, tool: Matrix, units: UnitsModel) -> str:
        _, part_number, number, key, _ = place.location
        tray = trays_by_number(self.model.parts[part_number])[int(number)]
        if tray.pose is None:
            raise ValueError(f'Teach the first slot before: {place_name("parts", part_number, number)}.')
        count = next(side.count for name, side, _ in _sides(tray) if name == key)
        step = (tool[:3, 3] - units.matrix(tray.pose)[:3, 3]) / units.meters / (count - 1)
        if all(abs(value) * units.meters < SAME_M for value in step):
            raise ValueError('The arm stands at the first slot. Move it to the slot that the name of the place says.')
        return _numbers([float(value) for value in step], units.length)


SAME_M = 0.001


def _sides(tray: TrayModel) -> Iterator[tuple[str, SideModel, str]]:
    if tray.columns is not None:
        yield COLUMNS, tray.columns, f'slot {tray.columns.count} of the first row'
    if tray.rows is not None:
        yield ROWS, tray.rows, f'first slot of row {tray.rows.count}'


def _pose_text(tool: Matrix, units: UnitsModel) -> str:
    position = _numbers([float(value) / units.meters for value in tool[:3, 3]], units.length)
    turn = rotation_to_rpy(tool[:3, :3]) if units.rotation == 'rpy' else rotation_vector(tool[:3, :3])
    return f'{position}, {_numbers([angle / units.radians for angle in turn], units.angle)}'


def _numbers(values: Sequence[float], unit: str) -> str:
    # Adding zero turns -0.0 into 0.0.
    return ', '.join(f'{round(value, DECIMALS[unit]) + 0.0:g}' if unit != 'mm' else _plain(value, unit) for value in values)


def _plain(value: float, unit: str) -> str:
    return f'{round(value, DECIMALS[unit]) + 0.0:.{DECIMALS[unit]}f}'.rstrip('0').rstrip('.')


def _value_text(values: Sequence[float] | None) -> str:
    return '' if values is None else ', '.join(f'{value:.10g}' for value in values)


def _with_value(text: str, location: Location, value: str) -> str:
    """Return a YAML text with another value at a location, which must exist."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in location:
        assert isinstance(node, yaml.MappingNode)  # validated
        node = next(value_node for key, value_node in node.value if key.value == step)
    assert node is not None
    begin, end = node.start_mark.index, _end_of(node)
    gap = ' ' if begin == end and text[begin - 1] == ':' else ''  # a key without a value
    return text[:begin] + gap + value + text[end:]


def _end_of(node: yaml.Node) -> int:
    """Return the end of a value; that of a block list is the end of its last entry, not the next key."""
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end_of(node.value[-1])
    return int(node.end_mark.index)
