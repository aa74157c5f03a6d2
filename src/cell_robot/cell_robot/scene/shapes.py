"""Shapes of the trays, their pieces, the targets and the path of the tool.

Pure: no ROS, sockets, files or clock.

Poses are in the controller's base frame, in meters. A tray place that several parts use shows the part of the job, or else the
part of which it holds most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cell_robot.motion.poses import Matrix
from cell_robot.motion.recipe import CellRecipe, TrayTargets

__all__ = ['AMBER', 'GRAY', 'GREEN', 'RED', 'Color', 'Path', 'Shape', 'ShownJob', 'ShownTray', 'scene_shapes']

Color = tuple[float, float, float, float]
GREEN: Color = (0.25, 0.72, 0.35, 1.0)
AMBER: Color = (0.95, 0.68, 0.15, 1.0)
RED: Color = (0.85, 0.22, 0.2, 1.0)
GRAY: Color = (0.62, 0.66, 0.7, 1.0)
BLUE: Color = (0.2, 0.5, 0.9, 1.0)
EMPTY, LOW, FILLED = range(3)
"""States of cell_interfaces/TrayStock."""
STATE_COLORS = {EMPTY: RED, LOW: AMBER, FILLED: GREEN}
PLATE_M, TEXT_M, LEAST_PIECE_M, USUAL_PIECE_M = 0.004, 0.025, 0.008, 0.02
PATH_STEP_M = 0.005
PATH_POINTS = 500

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """One marker.

    Attributes:
        group: Namespace of the marker: "trays", "pieces", "labels", "targets".
        number: Unique in its group.
        kind: "cube", "cubes" (one at each point), "text" or "line" (through the points).
        position: Meters; the origin of `points`.
        yaw: Radians about the base's z axis.
        size: Meters along x, y and z; of a text its height is z, of a line its width is x.
        color: Red, green, blue, opacity: 0..1.
        points: Relative to `position` and `yaw`.
        text: Of a text.
    """

    group: str
    number: int
    kind: str
    position: Point
    size: Point
    color: Color
    yaw: float = 0.0
    points: tuple[Point, ...] = ()
    text: str = ''


@dataclass(frozen=True)
class ShownTray:
    """Stock of one part in one tray, by the ledger."""

    count: int
    capacity: int
    state: int
    """EMPTY, LOW or FILLED."""


@dataclass(frozen=True)
class ShownJob:
    """The pick job."""

    part_number: str = ''
    placed: int = 0
    rejected: int = 0


def scene_shapes(recipe: CellRecipe, stock: Mapping[tuple[str, int], ShownTray], job: ShownJob) -> list[Shape]:
    """Return the shapes of the trays and targets.

    Args:
        recipe: Checked recipe; places that are not taught are left out.
        stock: (part number, tray) -> stock; a tray without stock is drawn gray.
        job: The latest pick job.
    """
    shapes: list[Shape] = []
    for number, (tray, users) in enumerate(_places(recipe)):
        part_number = _shown_part([part for part, _ in users], tray, stock, job.part_number)
        targets = dict(users)[part_number]
        shapes += _tray_shapes(number, tray, part_number, targets, stock.get((part_number, tray)))
    texts = {'place': f'placed: {job.placed}', 'reject': f'rejected: {job.rejected}', 'benchmark': 'benchmark'}
    colors = {'place': GREEN, 'reject': RED, 'benchmark': BLUE}
    for number, (name, target) in enumerate(recipe.targets.items()):
        position = _point(target.pose[:3, 3])
        plate = (0.06, 0.06, PLATE_M)
        shapes.append(Shape('targets', 2 * number, 'cube', position, plate, colors.get(name, GRAY)))
        shapes.append(_label('targets', 2 * number + 1, position, texts.get(name, name)))
    return shapes


class Path:
    """The path of the tool center point, as far as it is shown."""

    def __init__(self) -> None:
        self._points: list[Point] = []

    def add(self, point: Point) -> bool:
        """Add a position in meters; return whether it is far enough from the last one to be drawn."""
        if self._points and math.dist(self._points[-1], point) < PATH_STEP_M:
            return False
        self._points.append(point)
        del self._points[:-PATH_POINTS]
        return True

    def shape(self) -> Shape | None:
        """Return the path as a line; None with fewer than two points."""
        if len(self._points) < 2:
            return None
        return Shape('path', 0, 'line', (0.0, 0.0, 0.0), (0.004, 0.0, 0.0), BLUE, points=tuple(self._points))


def _places(recipe: CellRecipe) -> list[tuple[int, list[tuple[str, TrayTargets]]]]:
    """Return (tray number, its users with their slots) of each place where a tray stands."""
    places: dict[tuple[int, tuple[float, ...]], list[tuple[str, TrayTargets]]] = {}
    for part_number, trays in recipe.parts.items():
        for tray, targets in trays.items():
            where = tuple(round(float(value), 4) for value in targets.slots[0].pose[:3, 3])
            places.setdefault((tray, where), []).append((part_number, targets))
    return [(tray, users) for (tray, _), users in places.items()]


def _shown_part(parts: Iterable[str], tray: int, stock: Mapping[tuple[str, int], ShownTray], wanted: str) -> str:
    parts = list(parts)
    if wanted in parts:
        return wanted
    return max(parts, key=lambda part: stock[part, tray].count if (part, tray) in stock else -1)


def _tray_shapes(number: int, tray: int, part_number: str, targets: TrayTargets, stock: ShownTray | None) -> list[Shape]:
    """Return plate, pieces and label of one tray; its pieces are those of the slots that are emptied last."""
    slots = np.array([slot.pose[:3, 3] for slot in targets.slots])
    yaw, pitch = _orientation(slots)
    center, size = _extent(slots, yaw, pitch)
    color = GRAY if stock is None else STATE_COLORS.get(stock.state, GRAY)
    plate = (size[0] + pitch, size[1] + pitch, PLATE_M)
    shapes = [Shape('trays', number, 'cube', _point(center), plate, (*color[:3], 0.6), yaw)]
    count = 0 if stock is None else min(stock.count, len(slots))
    if count:
        piece = max(LEAST_PIECE_M, 0.7 * pitch)
        left = tuple(_point(slot) for slot in slots[len(slots) - count :])
        shapes.append(Shape('pieces', number, 'cubes', (0.0, 0.0, 0.0), (piece, piece, 0.6 * piece), color, points=left))
    text = f'tray {tray}\n{part_number}\n' + ('?' if stock is None else f'{stock.count} of {stock.capacity}')
    return [*shapes, _label('labels', number, _point(center), text)]


def _orientation(slots: Matrix) -> tuple[float, float]:
    """Return the direction of the first row in radians, and the distance of its slots in meters."""
    if len(slots) < 2:
        return 0.0, USUAL_PIECE_M
    step = slots[1] - slots[0]
    return math.atan2(float(step[1]), float(step[0])), max(LEAST_PIECE_M, float(np.linalg.norm(step[:2])))


def _extent(slots: Matrix, yaw: float, pitch: float) -> tuple[Matrix, tuple[float, float]]:
    """Return the center of the slots, below the pieces, and their extent along and across the first row."""
    along, across = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
    x, y = slots[:, :2] @ along, slots[:, :2] @ across
    middle = along * (x.max() + x.min()) / 2.0 + across * (y.max() + y.min()) / 2.0
    return np.array([*middle, slots[:, 2].min() - 0.3 * pitch]), (float(np.ptp(x)), float(np.ptp(y)))


def _label(group: str, number: int, position: Point, text: str) -> Shape:
    above = (position[0], position[1], position[2] + 0.08)
    return Shape(group, number, 'text', above, (0.0, 0.0, TEXT_M), (0.1, 0.1, 0.1, 1.0), text=text)


def _point(values: Matrix) -> Point:
    return float(values[0]), float(values[1]), float(values[2])
