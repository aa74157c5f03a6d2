"""The photographed scene: the robot holds up real photographs of the parts that it picked.

A folder holds the photographs and truth.json: `[{"file": "74LS00_0.png", "part_number": "74LS00"}, ...]`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cell_sim.camera.sensor import Sensor, defocus
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import CameraView, ViewPhase

Image = NDArray[np.uint8]
QUALITY = 95
"""JPEG quality: a photograph is not to lose more than a camera's own encoder takes."""
VARIANTS = 6
"""Noisy frames that a photograph repeats: a sensor never sends the very same picture twice in a row."""
_NOISE = 1.0
"""Grey levels; the photograph has the noise of its own camera already."""
_UNREADABLE_SIGMA = 26.0


class PhotoError(ValueError):
    """The folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class PhotoSet:
    """The photographs of each part."""

    files: Mapping[str, Sequence[Path]]

    def require(self, part_numbers: Sequence[str]) -> None:
        """Check that every part can be shown.

        Raises:
            PhotoError: Parts have no photograph.
        """
        missing = [name for name in part_numbers if name not in self.files]
        if missing:
            raise PhotoError(
                f'the folder of photographs holds none of {", ".join(missing[:8])}'
                f'{" and more" if len(missing) > 8 else ""}. Use a part catalogue of the photographed parts: '
                f'{", ".join(sorted(self.files))}.'
            )


def load_photo_set(folder: str | Path) -> PhotoSet:
    """Read truth.json of a folder and check that its photographs are there.

    Raises:
        PhotoError: It cannot be read, is not of the format, or names files that are not there.
    """
    truth = Path(folder) / 'truth.json'
    try:
        entries = json.loads(truth.read_text(encoding='utf-8'))
    except OSError as problem:
        raise PhotoError(f'cannot read {truth}: {problem.strerror}. Check parameter folder.') from problem
    except ValueError as problem:
        raise PhotoError(f'{truth} is not JSON: {problem}') from problem
    files: dict[str, list[Path]] = {}
    for entry in entries if isinstance(entries, list) else [None]:
        name, part_number = _entry(entry, truth)
        files.setdefault(part_number, []).append(Path(folder) / name)
    lost = [file.name for group in files.values() for file in group if not file.is_file()]
    if lost:
        raise PhotoError(f'{truth} names photographs that are not there: {", ".join(lost[:8])}')
    if not files:
        raise PhotoError(f'{truth} names no photograph')
    return PhotoSet(files)


def _entry(entry: Any, truth: Path) -> tuple[str, str]:
    try:
        name, part_number = entry['file'], entry['part_number']
    except (TypeError, KeyError):
        name = part_number = None
    if not isinstance(name, str) or not isinstance(part_number, str) or Path(name).name != name:
        raise PhotoError(
            f'{truth} must be a list of {{"file": "<name in the folder>", "part_number": "<part number>"}}; found {entry!r}'
        )
    return name, part_number


@dataclass
class _CachedShot:
    """A picture and the noisy frames made of it so far."""

    image: Image
    frames: list[bytes] = field(default_factory=list)
    turn: int = 0


class PhotoScene:
    """Shows photographs; each one at most once until all of its part were shown."""

    def __init__(self, album: PhotoSet, seed: int = 1) -> None:
        """Prepare to show an album.

        Args:
            album: The photographs.
            seed: The same seed shows the same photographs in the same order.

        Raises:
            PhotoError: A photograph cannot be decoded.
        """
        self._album, self._seed = album, seed
        self._decks: dict[str, list[Path]] = {}
        self._dealt: dict[str, Path] = {}
        self._rounds: dict[str, int] = {}
        empty = _empty_background(_load(min(file for group in album.files.values() for file in group)))
        self._sensors: dict[tuple[int, ...], Sensor] = {}
        self._empty = _CachedShot(empty)
        self._piece: PhysicalPart | None = None
        self._still = self._moving = self._empty

    def frame(self, view: CameraView) -> bytes:
        """Return a JPEG of what is seen."""
        if view.piece is None or view.phase is ViewPhase.AWAY:
            return self._next(self._empty)
        if view.piece != self._piece:
            self._start_shot(view.piece)
        return self._next(self._still if view.phase is ViewPhase.STILL else self._moving)

    def photo_of(self, piece: PhysicalPart) -> Path:
        """Return the photograph that shows a piece; the same piece is always shown by the same one."""
        if piece.serial not in self._dealt:
            deck = self._decks.setdefault(piece.part_number, [])
            if not deck:
                deck += sorted(self._album.files[piece.part_number])
                number = self._rounds[piece.part_number] = self._rounds.get(piece.part_number, 0) + 1
                random.Random(f'photos/{self._seed}/{piece.part_number}/{number}').shuffle(deck)
            self._dealt[piece.serial] = deck.pop()
        return self._dealt[piece.serial]

    def _start_shot(self, piece: PhysicalPart) -> None:
        photo = _load(self.photo_of(piece))
        if piece.unreadable:
            photo = defocus(photo, _UNREADABLE_SIGMA)
        self._piece, self._still = piece, _CachedShot(photo)
        self._moving = _CachedShot(np.asarray(cv2.blur(photo, (181, 9)), np.uint8))

    def _next(self, shot: _CachedShot) -> bytes:
        """Return the next noisy frame of a picture; each is made once."""
        shot.turn += 1
        if len(shot.frames) < VARIANTS:
            shape = shot.image.shape
            if shape not in self._sensors:
                self._sensors[shape] = Sensor(shape[1], shape[0], self._seed, sigma=_NOISE)
            shot.frames.append(self._sensors[shape].expose(shot.image, QUALITY))
            return shot.frames[-1]
        return shot.frames[shot.turn % VARIANTS]


def _empty_background(photo: Image) -> Image:
    """Return the empty stage of a photograph: its color where no part lies, at the edges."""
    edges = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
    return np.full_like(photo, np.median(edges, axis=0).astype(np.uint8))


def _load(file: Path) -> Image:
    photo = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if photo is None:
        raise PhotoError(f'{file} is not a picture that can be decoded; take it out of truth.json')
    return np.asarray(photo, np.uint8)
