"""Varies photographs as another camera, light or position would, to estimate results on new photographs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from vision_frames import Frame

if TYPE_CHECKING:
    from cv2.typing import MatLike

TURN = 8.0
"""Largest rotation from one of the four directions, degrees."""
SCALE = (0.8, 1.25)
SHIFT = 0.06
"""Largest shift, share of the sides; content outside the image is cropped."""


def variants(photo: Frame, count: int) -> Iterator[Frame]:
    """Return changed copies of a photograph, the same ones in every run.

    The directions alternate, 0, 90, 180 and 270 degrees, each with a small rotation, scale and shift. Then light, blur, noise
    and compression change.

    Args:
        photo: Bytes of any format that OpenCV decodes.
        count: How many.
    """
    image = cv2.imdecode(np.frombuffer(photo.data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None, f'{photo.name} is no image'
    for number in range(count):
        rng = random.Random(f'variant {photo.name} {number}')
        changed = _seen(_lit(_placed(image, rng, 90 * (number % 4)), rng), rng)
        yield replace(photo, name=f'{photo.name} variant {number}', data=changed)


def _placed(image: MatLike, rng: random.Random, direction: int) -> MatLike:
    """Rotate, scale and shift an image; edges are repeated, so no black border shows.

    Args:
        image: Shape (height, width, 3), uint8, BGR.
        rng: Draws scale, turn (degrees) and shift (share of the size) from SCALE, TURN and SHIFT.
        direction: Degrees, a multiple of 90.
    """
    high, wide = image.shape[:2]
    scale = rng.uniform(*SCALE)
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), direction + rng.uniform(-TURN, TURN), scale)
    turned = direction % 180 != 0
    to_wide, to_high = (high, wide) if turned else (wide, high)
    to_wide, to_high = math.ceil(to_wide * max(1.0, scale)), math.ceil(to_high * max(1.0, scale))
    matrix[0, 2] += (to_wide - wide) / 2 + rng.uniform(-SHIFT, SHIFT) * to_wide
    matrix[1, 2] += (to_high - high) / 2 + rng.uniform(-SHIFT, SHIFT) * to_high
    return cv2.warpAffine(
        image,
        matrix,
        (to_wide, to_high),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _lit(image: MatLike, rng: random.Random) -> MatLike:
    """Change brightness, contrast, gamma and white balance: float32."""
    light = (image.astype(np.float32) / 255) ** rng.uniform(0.7, 1.4)
    light = (light - 0.5) * rng.uniform(0.75, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
    return light * np.array([rng.uniform(0.88, 1.12) for _ in range(3)], np.float32) * 255


def _seen(image: MatLike, rng: random.Random) -> bytes:
    """Blur a little, add noise, compress."""
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 6), image.shape)
    seen = np.clip(image + noise, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, rng.choice((60, 75, 90))])[1])
