"""Photographed scene: real photographs of the parts that the robot shows to the camera.

A folder contains the photographs and truth.json: `[{"file": "74LS00_0.png", "part_number": "74LS00"}, ...]`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_sim.camera.sensor import Sensor, defocus
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import CameraView, ViewPhase

__all__ = ['PhotoError', 'PhotoScene', 'PhotoSet', 'load_photo_set']

Image = NDArray[np.uint8]
QUALITY = 95
"""JPEG quality, high enough that re-encoding a photograph loses no more than the encoder of a camera."""
VARIANTS = 6
"""Number of noisy frames that a photograph repeats: a real sensor never sends the same image twice."""
_NOISE = 1.0
"""Gray levels; low, because the photograph already has the noise of its camera."""
_UNREADABLE_SIGMA = 26.0
LONGEST_MOVE = 8
"""Pixels."""


class PhotoError(ValueError):
    """The folder cannot be used; the text has the cause and the remedy."""


@dataclass(frozen=True)
class PhotoSet:
    """Photographs of each part number.

    Attributes:
        files: Part number -> paths, in the order of truth.json; every list has at least one.
    """

    files: Mapping[str, Sequence[Path]]

    def require(self, part_numbers: Sequence[str]) -> None:
        """Check that every part has a photograph.

        Args:
            part_numbers: Parts that the robot may show.

        Raises:
            PhotoError: A part has no photograph; the text names up to eight.
        """
        missing = [name for name in part_numbers if name not in self.files]
        if missing:
            raise PhotoError(
                f'the folder of photographs holds none of {", ".join(missing[:8])}'
                f'{" and more" if len(missing) > 8 else ""}. Use a part catalogue of the photographed parts: '
                f'{", ".join(sorted(self.files))}.'
            )


def load_photo_set(folder: str | Path) -> PhotoSet:
    """Read truth.json of a folder and check that its photographs exist.

    Args:
        folder: Folder of truth.json and the photographs; names with a path are refused.

    Returns:
        The photographs by part number; they are decoded only when they are shown.

    Raises:
        PhotoError: The file cannot be read, has another format, or names missing photographs.
    """
    truth = Path(folder) / 'truth.json'
    try:
        entries = json.loads(truth.read_text(encoding='utf-8'))
    except OSError as error:
        raise PhotoError(f'cannot read {truth}: {error.strerror}. Check parameter folder.') from error
    except ValueError as error:
        raise PhotoError(f'{truth} is not JSON: {error}') from error
    files: dict[str, list[Path]] = {}
    for entry in entries if isinstance(entries, list) else [None]:
        name, part_number = _entry(entry, truth)
        files.setdefault(part_number, []).append(Path(folder) / name)
    missing = [file.name for group in files.values() for file in group if not file.is_file()]
    if missing:
        raise PhotoError(f'{truth} names missing photographs: {", ".join(missing[:8])}')
    if not files:
        raise PhotoError(f'{truth} names no photograph')
    return PhotoSet(files)


def _entry(entry: object, truth: Path) -> tuple[str, str]:
    fields = entry if isinstance(entry, dict) else {}
    name, part_number = fields.get('file'), fields.get('part_number')
    if not isinstance(name, str) or not isinstance(part_number, str) or Path(name).name != name:
        raise PhotoError(
            f'{truth} must be a list of {{"file": "<name in the folder>", "part_number": "<part number>"}}; found {entry!r}'
        )
    return name, part_number


@dataclass
class _CachedShot:
    """Image and its noisy frames."""

    image: Image
    frames: list[bytes] = field(default_factory=list)
    turn: int = 0


class PhotoScene:
    """Shows photographs; none repeats before all photographs of its part number have been shown.

    Physically different parts must not show identical images, or a test would not notice a cell
    that reuses an old reading. From the second round on each photograph is therefore displaced by a
    few pixels.
    """

    def __init__(self, photos: PhotoSet, seed: int = 1) -> None:
        """Render the empty scene.

        Args:
            photos: Photographs of the parts.
            seed: The same seed shows the same photographs in the same order.

        Raises:
            PhotoError: A photograph cannot be decoded.
        """
        self._photos, self._seed = photos, seed
        self._decks: dict[str, list[Path]] = {}
        self._dealt: dict[str, Path] = {}
        self._rounds: dict[str, int] = {}
        # The smallest path, so that the background does not depend on the order of truth.json.
        empty = _empty_background(_load(min(file for group in photos.files.values() for file in group)))
        self._sensors: dict[tuple[int, ...], Sensor] = {}
        self._empty = _CachedShot(empty)
        self._piece: PhysicalPart | None = None
        self._still = self._moving = self._empty

    def frame(self, view: CameraView) -> bytes:
        """Return a JPEG of the view.

        All frames have the size of their photograph. An unreadable part is its photograph out of
        focus.

        Args:
            view: Held part and its visibility; part numbers must be in the photo set.

        Raises:
            PhotoError: A photograph cannot be decoded.
        """
        if view.piece is None or view.phase is ViewPhase.AWAY:
            return self._next(self._empty)
        if view.piece != self._piece:
            self._start_shot(view.piece)
        return self._next(self._still if view.phase is ViewPhase.STILL else self._moving)

    def photo_of(self, piece: PhysicalPart) -> Path:
        """Return the photograph of a part, always the same one for the same part.

        Args:
            piece: Part; the first call for its serial deals the next photograph.
        """
        if piece.serial not in self._dealt:
            deck = self._decks.setdefault(piece.part_number, [])
            if not deck:
                deck += sorted(self._photos.files[piece.part_number])
                number = self._rounds[piece.part_number] = self._rounds.get(piece.part_number, 0) + 1
                random.Random(f'photos/{self._seed}/{piece.part_number}/{number}').shuffle(deck)
            self._dealt[piece.serial] = deck.pop()
        return self._dealt[piece.serial]

    def _start_shot(self, piece: PhysicalPart) -> None:
        """Load the photograph of a part, and its blurred copy for the time in motion."""
        photo = _load(self.photo_of(piece))
        if self._rounds.get(piece.part_number, 0) > 1:
            # Another part in the place of the same photograph: a gripper never holds two in exactly the same place.
            photo = _moved(photo, random.Random(f'place/{self._seed}/{piece.serial}'))
        if piece.unreadable:
            photo = defocus(photo, _UNREADABLE_SIGMA)
        self._piece, self._still = piece, _CachedShot(photo)
        self._moving = _CachedShot(np.asarray(cv2.blur(photo, (181, 9)), np.uint8))

    def _next(self, shot: _CachedShot) -> bytes:
        """Return the next noisy frame of an image; each is encoded once."""
        shot.turn += 1
        if len(shot.frames) < VARIANTS:
            shape = shot.image.shape
            if shape not in self._sensors:
                self._sensors[shape] = Sensor(shape[1], shape[0], self._seed, sigma=_NOISE)
            shot.frames.append(self._sensors[shape].expose(shot.image, QUALITY))
            return shot.frames[-1]
        return shot.frames[shot.turn % VARIANTS]


def _empty_background(photo: Image) -> Image:
    """Return an image without a part, in the median color of the edges of a photograph."""
    edges = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
    return np.full_like(photo, np.median(edges, axis=0).astype(np.uint8))


def _moved(photo: Image, rng: random.Random) -> Image:
    """Return an image displaced by some pixels."""
    x, y = (rng.choice((-1, 1)) * rng.randint(3, LONGEST_MOVE) for _ in range(2))
    moved = cv2.warpAffine(
        photo, np.array([[1, 0, x], [0, 1, y]], np.float32), photo.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def _load(file: Path) -> Image:
    photo = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if photo is None:
        raise PhotoError(f'{file} cannot be decoded; remove it from truth.json')
    return np.asarray(photo, np.uint8)
