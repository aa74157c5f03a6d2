"""Rendered scene: images of the part that the robot shows to the camera.

A still scene is rendered once for each part and then repeats a few noisy frames, so a camera that runs all day needs
little CPU time. The same seed and part give the same image.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cell_sim.camera.background import lighting_field, render_bench, render_gripper
from cell_sim.camera.label_renderer import BODY, apply_wear, draw_part
from cell_sim.camera.sensor import Sensor, defocus
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import CameraView, ViewPhase

__all__ = ['RenderedScene', 'Scene']

Image = NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 720
VARIANTS = 8
"""Number of noisy frames that a still scene repeats."""
_DRAWING = (1700, 1000)
_WEAR_KINDS = ('rubbed', 'smeared', 'grease', 'defocus')


class Scene(Protocol):
    """Source of camera frames."""

    def frame(self, view: CameraView) -> bytes:
        """Return a JPEG of the view; may take 100 ms for a new part.

        Args:
            view: Held part and its visibility.
        """
        ...


@dataclass
class _CachedShot:
    """Rendered image and its noisy frames."""

    image: Image
    frames: list[bytes] = field(default_factory=list)
    turn: int = 0


class RenderedScene:
    """Renders labeled parts in a gripper in front of a bench.

    Frames are 1280 x 720 pixels. Not thread-safe: the camera's worker thread owns it.
    """

    def __init__(self, prints: Mapping[str, tuple[str, ...]], seed: int = 1, codes: Mapping[str, str] | None = None) -> None:
        """Render the background.

        Args:
            prints: Part number -> further texts printed on that part.
            seed: Seed of all random choices in the images.
            codes: Part number -> content of the DataMatrix on that part.
        """
        self._prints, self._seed, self._codes = prints, seed, codes or {}
        self._sensor = Sensor(WIDTH, HEIGHT, seed)
        self._bench = render_bench(WIDTH, HEIGHT, seed)
        # Frames in motion are composed at half size: they are blurred anyway, and take a quarter of
        # the time.
        self._small_bench = _half(self._bench)
        self._gripper = render_gripper(*_DRAWING, BODY)
        self._steps = itertools.count()
        self._empty = _CachedShot(self._apply_lighting(self._bench, 'empty'))
        self._piece: PhysicalPart | None = None
        self._shot, self._small_part = self._empty, _half(np.zeros((HEIGHT, WIDTH, 4), np.uint8))

    def frame(self, view: CameraView) -> bytes:
        """Return a JPEG of the view.

        Args:
            view: Held part and its visibility. A new part costs about 100 ms once, every other
                frame a few ms.
        """
        if view.piece is not None and view.piece != self._piece:
            self._start_shot(view.piece)
        if view.piece is None or view.phase is ViewPhase.AWAY:
            return self._repeat(self._empty)
        if view.phase is ViewPhase.STILL:
            return self._repeat(self._shot)
        return self._sensor.expose(self._blurred())

    def render(self, piece: PhysicalPart) -> Image:
        """Return the BGR image of a part that stands still, without sensor noise.

        Args:
            piece: Part to draw.

        Returns:
            uint8, shape (720, 1280, 3).
        """
        return self._compose(piece)[0]

    def _start_shot(self, piece: PhysicalPart) -> None:
        image, part = self._compose(piece)
        self._piece, self._shot, self._small_part = piece, _CachedShot(image), _half(part)

    def _repeat(self, shot: _CachedShot) -> bytes:
        if len(shot.frames) < VARIANTS:
            shot.frames.append(self._sensor.expose(shot.image))
            return shot.frames[-1]
        # The step varies and is never 0: neither is a frame sent twice in a row, nor do the frames
        # repeat in a short cycle.
        shot.turn = (shot.turn + 1 + next(self._steps) % (VARIANTS - 1)) % VARIANTS
        return shot.frames[shot.turn]

    def _compose(self, piece: PhysicalPart) -> tuple[Image, Image]:
        """Return the lit scene (BGR), and the part with its gripper alone (BGRA, premultiplied alpha)."""
        rng = random.Random(f'{self._seed}/{piece.serial}')
        drawing = draw_part(piece, self._prints, self._codes)
        kind = rng.choice(_WEAR_KINDS) if piece.unreadable else ''
        if kind and kind != 'defocus':
            drawing = apply_wear(drawing, kind, rng)
        held = _in_gripper(_bgra(drawing), self._gripper)
        part = np.asarray(cv2.warpPerspective(held, _pose(rng), (WIDTH, HEIGHT), flags=cv2.INTER_AREA), np.uint8)
        # Premultiplied after the warp: interpolation has mixed the colors of the edge with
        # transparent black.
        part[:, :, :3] = cv2.multiply(part[:, :, :3], cv2.merge([part[:, :, 3]] * 3), scale=1 / 255)
        image = self._apply_lighting(_alpha_blend(part, self._bench), piece.serial)
        if kind == 'defocus':
            return defocus(image, rng.uniform(15, 19)), part
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.1)), np.uint8), part

    def _apply_lighting(self, image: Image, serial: str) -> Image:
        rng = np.random.default_rng(random.Random(f'light/{self._seed}/{serial}').getrandbits(32))
        factor = cv2.merge([lighting_field(WIDTH, HEIGHT, rng)] * 3)
        return np.asarray(cv2.multiply(image, factor, dtype=cv2.CV_8U), np.uint8)

    def _blurred(self) -> Image:
        """Return the part in motion: displaced, and blurred along its path."""
        shift = np.array([[1, 0, 60 + 70 * (next(self._steps) % 4)], [0, 1, 0]], np.float32)
        height, width = self._small_part.shape[:2]
        part = np.asarray(cv2.blur(cv2.warpAffine(self._small_part, shift, (width, height)), (67, 3)), np.uint8)
        return np.asarray(
            cv2.resize(_alpha_blend(part, self._small_bench), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.uint8
        )


def _in_gripper(body: Image, fingers: Image) -> Image:
    """Paste the body (BGRA) into the middle of the drawing, between the fingers."""
    drawing = fingers.copy()
    height, width = body.shape[:2]
    top, left = (drawing.shape[0] - height) // 2, (drawing.shape[1] - width) // 2
    place = drawing[top : top + height, left : left + width]
    solid = body[:, :, 3] > 127
    place[solid] = body[solid]
    return drawing


def _pose(rng: random.Random) -> NDArray[np.float64]:
    """Return a random 3 x 3 homography from the drawing to the frame: rotation, size, position and a slight tilt."""
    width, height = _DRAWING
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    turn, size = np.radians(rng.uniform(-7, 7)), rng.uniform(0.86, 1.02)
    centered = (corners - (width / 2, height / 2)) * size
    turned = centered @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    place = np.array((WIDTH / 2 + rng.uniform(-50, 50), HEIGHT / 2 + rng.uniform(-30, 30)))
    tilt = np.array([(rng.uniform(-34, 34), rng.uniform(-26, 26)) for _ in corners])
    return np.asarray(cv2.getPerspectiveTransform(corners, (turned + place + tilt).astype(np.float32)), np.float64)


def _alpha_blend(part: Image, behind: Image) -> Image:
    """Blend a part (BGRA, premultiplied alpha) over a BGR background."""
    rest = cv2.merge([cv2.bitwise_not(part[:, :, 3])] * 3)
    return np.asarray(cv2.add(np.ascontiguousarray(part[:, :, :3]), cv2.multiply(behind, rest, scale=1 / 255)), np.uint8)


def _bgra(drawing: PillowImage.Image) -> Image:
    return np.asarray(cv2.cvtColor(np.asarray(drawing), cv2.COLOR_RGBA2BGRA), np.uint8)


def _half(image: Image) -> Image:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
