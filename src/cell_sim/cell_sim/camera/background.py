"""Background of the rendered scene: bench, gripper and lighting.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Field = NDArray[np.float32]


def render_bench(width: int, height: int, seed: int) -> Image:
    """Render the bench with trays and profiles, out of focus.

    Args:
        width: Image width, pixels.
        height: Image height, pixels.
        seed: Seed of colors and tray contents.

    Returns:
        BGR image, uint8, shape (height, width, 3).
    """
    rng = np.random.default_rng(seed)
    image = np.empty((height, width, 3), np.uint8)
    image[:] = (112, 116, 114)
    cv2.rectangle(image, (0, 0), (width, height // 4), (88, 84, 78), -1)
    for x in range(-40, width, 230):
        color = tuple(int(c) for c in np.array((122, 92, 62)) + rng.integers(-14, 14, 3))
        cv2.rectangle(image, (x, height // 2 + 40), (x + 190, height - 30), color, -1)
        _draw_tray_contents(image, x, height // 2 + 60, rng)
    cv2.rectangle(image, (0, height // 4 - 26), (width, height // 4 + 22), (176, 178, 176), -1)
    cv2.line(image, (0, height // 4 - 2), (width, height // 4 - 2), (120, 122, 122), 5)
    cv2.rectangle(image, (width - 210, 0), (width - 150, height // 2), (168, 170, 168), -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 13), np.uint8)


def render_gripper(width: int, height: int, body: tuple[int, int]) -> Image:
    """Render a two-finger gripper around a body in the middle of the drawing; its palm is on the right.

    Args:
        width: Drawing width, pixels.
        height: Drawing height, pixels.
        body: Width and height of the gripped body, pixels.

    Returns:
        BGRA image, uint8, shape (height, width, 4); transparent where there is no gripper.
    """
    image = np.zeros((height, width, 4), np.uint8)
    middle_x, middle_y = width // 2, height // 2
    half_width, half_height = body[0] // 2, body[1] // 2
    palm_x = middle_x + half_width + 46
    for top in (middle_y - half_height - 74, middle_y + half_height - 8):
        _draw_steel(image, (middle_x + 60, top, palm_x + 40, top + 82), 138)
        _draw_steel(image, (middle_x + 60, top + 28, palm_x, top + 54), 160)
    _draw_steel(image, (palm_x, middle_y - half_height - 120, width, middle_y + half_height + 120), 66)
    for y in (middle_y - 110, middle_y + 110):
        cv2.circle(image, (palm_x + 46, y), 17, (44, 44, 46, 255), -1, cv2.LINE_AA)
        cv2.circle(image, (palm_x + 46, y), 8, (24, 24, 24, 255), -1, cv2.LINE_AA)
    return image


def lighting_field(width: int, height: int, rng: np.random.Generator) -> Field:
    """Return a random lighting field: a ramp, a soft bright spot and darker corners.

    Args:
        width: Image width, pixels.
        height: Image height, pixels.
        rng: Random generator; each part gets one of its own.

    Returns:
        Brightness factor of each pixel, about 1, float32, shape (height, width).
    """
    # An eighth of the resolution: the field is smooth, and exponentials are expensive.
    y, x = np.mgrid[0:height:8, 0:width:8].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.22 * (x * np.cos(angle) + y * np.sin(angle))
    spot_x, spot_y = rng.uniform(-0.35, 0.35, 2)
    spot = rng.uniform(0.04, 0.14) * np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / 0.05)
    field = (0.97 + ramp + spot) * (1 - 0.35 * (x * x + y * y))
    return np.asarray(cv2.resize(field.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _draw_tray_contents(image: Image, left: int, top: int, rng: np.random.Generator) -> None:
    for row in range(3):
        for column in range(4):
            if rng.random() < 0.8:
                x, y = left + 12 + column * 44, top + 10 + row * 66
                cv2.rectangle(image, (x, y), (x + 32, y + 48), (54, 52, 50), -1)


def _draw_steel(image: Image, box: tuple[int, int, int, int], base: int) -> None:
    """Draw a machined block with a soft sheen."""
    left, top, right, bottom = (max(0, value) for value in box)
    sheen = base + 26 * np.sin(np.linspace(0.3, 2.9, bottom - top, dtype=np.float32))[:, None, None]
    block = image[top:bottom, left:right]
    block[:, :, :3] = np.clip(sheen, 0, 255).astype(np.uint8)
    block[:, :, 3] = 255
    cv2.rectangle(image, (left, top), (min(right, image.shape[1]) - 1, bottom - 1), (base // 2,) * 3 + (255,), 2, cv2.LINE_AA)
