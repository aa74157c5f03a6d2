"""Draws the frames that bench/vision.py measures on: parts with print as a camera sees them, at three levels of difficulty.

A frame is made from its split, level and number alone: the same frame comes out every time (with the same fonts installed).
Splits share nothing but the rules: `train` teaches the weights, `dev` sets thresholds and calibration, `test` is only measured.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from cell_common.catalogue import Catalogue, Part
from cell_common.catalogue_file import load_catalogue
from vision_prints import faces, printed

if TYPE_CHECKING:
    from cv2.typing import MatLike

SIZE = (1280, 720)
CHIPS = (
    '74LS00',
    '74LS01',
    '74LS02',
    '74LS03',
    '74LS05',
    '74LS06',
    '74LS09',
    '74LS11',
    '74LS112',
    '74LS123',
    '74LS14',
    '74LS169',
    '74LS175',
    '74LS190',
    '74LS191',
    '74LS192',
    '74LS193',
    '74LS42',
    '74LS47',
    '74LS48',
    '74LS83',
    '74LS85',
)
_SPARE = 256
SPLITS = ('train', 'dev', 'test')
SEEDS = {'train': 'train', 'dev': 'dev', 'test': 'test, seventeenth draw'}
"""Seed of each split. Rules were found on earlier draws of `test`, so those frames are used up."""
_MAKERS = ('KESTREL', 'NORDWERK', 'TANAKA', 'ELCORA', 'VESTA RELAYS', 'MALAYSIA', 'MADE IN PORTUGAL', 'ASSEMBLED IN CZ')
_LINES = ('COIL 12VDC', 'COIL 24VDC', '10A 250VAC', '30A 14VDC', '7A 250VAC CAT.II', 'IP67 13A 250V', 'TYPE 3 CLASS B')
_PREFIXES, _SUFFIXES = ('SN', 'HD', 'DM', 'MC', ''), ('N', 'P', 'AN', '')


@dataclass(frozen=True)
class Level:
    """Degradation of the frames of a level; pairs are ranges."""

    name: str
    capital: tuple[float, float]
    """Height of the part number's capitals in the frame, pixels."""
    contrast: tuple[float, float]
    """Gray levels between print and ground."""
    turn: float
    """Largest angle to the nearest of the four directions, degrees; 45 = any angle."""
    perspective: float
    """Corners are moved by up to this share of the part."""
    blur: tuple[float, float]
    """Sigma, share of the capitals' height."""
    motion: float
    """Length, share of the capitals' height."""
    noise: tuple[float, float]
    """Sigma, gray levels."""
    shade: float
    """Largest darkening of a corner, 0..1."""
    glare: float
    """Probability of a reflection, 0..1."""
    scratches: tuple[int, int]
    quality: tuple[int, int]
    """Quality of the JPEG."""
    looks: tuple[int, int, int]
    """Share of typeset, dotted and laser print; %."""


LEVELS: Mapping[str, Level] = {
    level.name: level
    for level in (
        Level('easy', (20, 48), (100, 190), 15, 0.02, (0.0, 0.03), 0.0, (0.5, 3.0), 0.25, 0.0, (0, 1), (88, 96), (88, 2, 10)),
        Level(
            'medium', (15, 40), (60, 150), 45, 0.05, (0.02, 0.065), 0.08, (2.0, 6.0), 0.45, 0.2, (0, 3), (72, 92), (80, 6, 14)
        ),
        Level('hard', (9, 24), (50, 130), 45, 0.08, (0.03, 0.08), 0.1, (3.0, 8.0), 0.6, 0.4, (0, 4), (55, 82), (70, 12, 18)),
    )
}


@dataclass(frozen=True)
class Frame:
    """A frame with its ground truth."""

    name: str
    data: bytes
    """JPEG."""
    part_number: str
    """The part in view; "" when there is none, an unknown one, or several."""
    text: str
    """The line that carries the part's number; "" when there is none."""
    kind: str
    """"part", "unknown", "several", "none"."""
    look: str
    """Kind of print: "font", "dots", "laser"."""


@dataclass(frozen=True)
class _Design:
    """Text of one part, and its print."""

    part_number: str
    lines: tuple[tuple[str, float], ...]
    """Text and its height relative to the part number."""
    text: str
    look: str
    face: str
    ground: int
    """Gray level."""
    ink: int
    body: int
    """Gray level of the label paper; -1 = printed on the body itself."""
    tint: tuple[float, float, float]


def bench_catalogue(folder: Path) -> Catalogue:
    """Return all parts of config/parts.yaml and parts_with_twins.yaml, and 22 logic chips.

    Args:
        folder: The project's config folder.
    """
    parts = dict(load_catalogue(folder / 'parts.yaml').parts)
    for number, part in load_catalogue(folder / 'parts_with_twins.yaml').parts.items():
        parts.setdefault(number, part)
    parts.update({number: Part(number, 'A', ()) for number in CHIPS})
    return Catalogue(parts)


def frame(split: str, level: str, number: int, parts: Sequence[str], moment: int = 0) -> Frame:
    """Draw one frame.

    Args:
        split: One of SPLITS.
        level: One of LEVELS.
        number: Which frame of the level.
        parts: The catalogue's part numbers.
        moment: The same scene, so many frames later: the part has moved a little, noise and blur are others.
    """
    what, rng = LEVELS[level], random.Random(f'{SEEDS[split]} {level} {number}')
    kind = rng.choices(('part', 'unknown', 'several', 'none'), (88, 5, 4, 3))[0]
    part = parts[number % len(parts)] if kind == 'part' else rng.choice(parts)
    capital = rng.uniform(*what.capital)
    designs = [_design(split, part, what, rng)]
    if kind == 'unknown':
        designs = [_foreign(designs[0], parts, rng)]
    if kind == 'several':
        other = rng.choice([other for other in parts if other != part])
        designs.append(_design(split, other, what, rng))
    scene = _Scene(what, capital, rng)
    # A generator of its own: drawing more for one moment must not change the scene.
    later = random.Random(f'{SEEDS[split]} {level} {number} {moment}')
    image = scene.image([] if kind == 'none' else designs, later)
    data = _through_the_camera(image, what, capital, later)
    shown = designs[0]
    return Frame(
        f'{split} {level} {number}.{moment}',
        data,
        part if kind == 'part' else '',
        shown.text if kind in {'part', 'unknown'} else '',
        kind,
        shown.look,
    )


def frames_in_face(face: str, level: Level, count: int, parts: Sequence[str], seed: str) -> Iterator[Frame]:
    """Yield frames of single parts whose print has one typeface.

    Args:
        face: One of FURTHER_FACES of `vision_prints`.
        level: Degradation.
        count: Frames.
        parts: The catalogue's part numbers.
        seed: Another one gives other frames.
    """
    for number in range(count):
        rng = random.Random(f'{seed} {face} {level.name} {number}')
        part, capital = parts[number % len(parts)], rng.uniform(*level.capital)
        design = replace(_design('test', part, level, rng), face=face)
        image = _Scene(level, capital, rng).image([design], rng)
        data = _through_the_camera(image, level, capital, rng)
        yield Frame(f'{face} {number}', data, part, design.text, 'part', design.look)


def _design(split: str, part: str, level: Level, rng: random.Random) -> _Design:
    """Choose text, typeface and gray levels of a part.

    Args:
        split: Its typefaces are used: those of `train` and `test` have none in common.
        part: Part number; numbers that begin with a digit get a prefix or suffix, as makers print them.
        level: Ranges of contrast in gray levels, and shares of the looks font, dots and laser.
        rng: Draws from them.

    Returns:
        The number among up to three further lines: maker, product line, date code.
    """
    look = rng.choices(('font', 'dots', 'laser'), level.looks)[0]
    number = rng.choice(_PREFIXES) + part + rng.choice(_SUFFIXES) if part[0].isdigit() else part
    date = f'{rng.choice("ABCDEFGHKMN")}{rng.randint(24, 26)}{rng.randint(1, 52):02d}'
    extra = [
        (rng.choice(_MAKERS), rng.uniform(0.5, 0.8)),
        (rng.choice(_LINES), rng.uniform(0.5, 0.75)),
        (date, rng.uniform(0.55, 0.9)),
    ]
    rng.shuffle(extra)
    extra = extra[: rng.randint(0, 3)]
    at = rng.randint(0, len(extra))
    lines = (*extra[:at], (number, 1.0), *extra[at:])
    contrast = rng.uniform(*level.contrast) * (0.75 if look == 'laser' else 1.0)
    dark = rng.uniform(20, 230 - contrast) if look == 'font' else rng.uniform(20, 80)
    light_on_dark = look == 'laser' or rng.random() < 0.45
    ground, ink = (dark, dark + contrast) if light_on_dark else (dark + contrast, dark)
    tint = tuple(rng.uniform(0.9, 1.0) for _ in range(3))
    body = rng.randint(20, 120) if look == 'font' and ground > ink and rng.random() < 0.5 else -1
    return _Design(part, lines, number, look, rng.choice(faces(split)), int(ground), int(ink), body, tint)  # type: ignore[arg-type]


def _foreign(design: _Design, parts: Sequence[str], rng: random.Random) -> _Design:
    """Return the part with one character of its number changed, so that the number is not in the catalogue.

    Args:
        design: A part of the catalogue.
        parts: Numbers of the catalogue.
        rng: Chooses place and character; a digit stays a digit, as in neighboring articles of one maker.
    """
    while True:
        at = rng.choice([i for i, c in enumerate(design.part_number) if c.isalnum()])
        was = design.part_number[at]
        new = rng.choice([c for c in ('0123456789' if was.isdigit() else 'ACDEFHKLMNPRTUVX') if c != was])
        number = design.part_number[:at] + new + design.part_number[at + 1 :]
        if number not in parts:
            text = design.text.replace(design.part_number, number)
            lines = tuple((text if line == design.text else line, size) for line, size in design.lines)
            return replace(design, part_number=number, text=text, lines=lines)


class _Scene:
    """Positions of the parts, background and light.

    All random numbers of the scene are drawn in the constructor, so later moments of the same frame show the same scene.
    """

    def __init__(self, level: Level, capital: float, rng: random.Random) -> None:
        self._level, self._capital, self._rng = level, capital, rng
        self._direction = rng.choice((0, 90, 180, 270)) + rng.uniform(-level.turn, level.turn)
        self._ground = rng.choice((rng.uniform(15, 70), rng.uniform(90, 150), rng.uniform(190, 245)))
        self._grain = rng.getrandbits(32)
        self._light = (rng.uniform(0, math.tau), rng.uniform(0, level.shade))
        self._glare = rng.random() < level.glare
        self._spot = (rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.14), rng.uniform(30, 110))
        self._skew = [(rng.uniform(-1, 1) * level.perspective, rng.uniform(-1, 1) * level.perspective) for _ in range(4)]

    def image(self, designs: Sequence[_Design], later: random.Random) -> MatLike:
        """Draw the scene without camera effects: float32, BGR."""
        image = self._background()
        for design, place in zip(designs, self._places(len(designs), later), strict=True):
            self._put(image, _drawn(design, self._capital, self._level, self._rng), place)
        return self._lit(image)

    def _places(self, count: int, later: random.Random) -> list[tuple[float, float]]:
        """Return the centers of the parts in pixels, moved a little at a later moment."""
        wide, high = SIZE
        middle = (wide / 2 + self._rng.uniform(-110, 110), high / 2 + self._rng.uniform(-50, 50))
        moved = (middle[0] + later.uniform(-4, 4), middle[1] + later.uniform(-4, 4))
        if count < 2:
            return [moved][:count]
        return [(moved[0] * 0.5, moved[1]), (moved[0] * 0.5 + wide / 2, moved[1])]

    def _background(self) -> MatLike:
        noise = np.random.default_rng(self._grain)
        coarse = noise.normal(0, 6, (SIZE[1] // 40, SIZE[0] // 40)).astype(np.float32)
        gray = self._ground + cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
        return np.repeat(gray[:, :, None], 3, axis=2)

    def _put(self, image: MatLike, part: MatLike, place: tuple[float, float]) -> None:
        """Draw a part into the scene, rotated by the scene's direction and skewed by its perspective."""
        high, wide = part.shape[:2]
        angle = math.radians(self._direction)
        cos, sin = math.cos(angle), math.sin(angle)
        fit = min(1.0, 0.96 * SIZE[1] / max(abs(wide * sin) + abs(high * cos), 1))
        corners = []
        for (left, top), (dx, dy) in zip(((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)), self._skew, strict=True):
            x, y = (left + dx * high / wide) * wide * fit, (top + dy) * high * fit
            corners.append((place[0] + x * cos - y * sin, place[1] + x * sin + y * cos))
        there = cv2.getPerspectiveTransform(
            np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32), np.array(corners, np.float32)
        )
        warped = cv2.warpPerspective(part, there, SIZE, flags=cv2.INTER_LINEAR)
        covered = cv2.warpPerspective(np.ones((high, wide), np.float32), there, SIZE)[:, :, None]
        image[:] = image * (1 - covered) + warped * covered

    def _lit(self, image: MatLike) -> MatLike:
        """Return the scene with shade that falls off to one side, and with a reflection in some scenes."""
        wide, high = SIZE
        x, y = np.meshgrid(np.linspace(-1, 1, wide, dtype=np.float32), np.linspace(-1, 1, high, dtype=np.float32))
        angle, depth = self._light
        lit = image * (1 - depth * (0.5 + 0.35 * (x * math.cos(angle) + y * math.sin(angle))))[:, :, None]
        if self._glare:
            at_x, at_y, radius, bright = self._spot
            spot = np.exp(-((x / 2 + 0.5 - at_x) ** 2 + (y / 2 + 0.5 - at_y) ** 2 * 0.4) / (2 * radius**2))
            lit = lit + (bright * spot)[:, :, None]
        return lit


def _drawn(design: _Design, capital: float, level: Level, rng: random.Random) -> MatLike:
    """Draw a part in front view, its number with capitals `capital` pixels high; shape (height, width, 3), float32, BGR."""
    strips = [printed(text, design.look, design.face, max(5, round(capital * size)), rng) for text, size in design.lines]
    gap = max(3, round(capital * rng.uniform(0.45, 0.9)))
    edge = round(capital * rng.uniform(0.7, 1.6))
    wide = max(strip.shape[1] for strip in strips) + 2 * edge
    high = sum(strip.shape[0] for strip in strips) + gap * (len(strips) - 1) + 2 * edge
    cover, y, centered = np.zeros((high, wide), np.float32), edge, rng.random() < 0.5
    for strip in strips:
        x = (wide - strip.shape[1]) // 2 if centered else edge
        cover[y : y + strip.shape[0], x : x + strip.shape[1]] = strip
        y += strip.shape[0] + gap
    _scratch(cover, capital, rng.randint(*level.scratches), rng)
    lit = design.ground + (design.ink - design.ground) * cover
    if design.look == 'laser':
        grain = np.random.default_rng(rng.getrandbits(32)).normal(0, 2.5, cover.shape)
        lit = lit + cv2.GaussianBlur(np.asarray(grain, np.float32), (0, 0), 0.8)
    gray = np.asarray(lit, np.float32)
    border = max(1, round(capital * 0.08))
    cv2.rectangle(gray, (0, 0), (wide - 1, high - 1), min(255.0, design.ground + 18.0), border)
    if design.body >= 0:
        rim = round(capital * rng.uniform(0.4, 1.6))
        gray = np.pad(gray, rim, constant_values=design.body)
    return gray[:, :, None] * np.array(design.tint, np.float32)


def _scratch(cover: MatLike, capital: float, count: int, rng: random.Random) -> None:
    """Erase print along thin lines."""
    high, wide = cover.shape
    for _ in range(count):
        x, y, angle = rng.uniform(0, wide), rng.uniform(0, high), rng.uniform(0, math.pi)
        long = capital * rng.uniform(1, 4)
        start = (round(x - long * math.cos(angle)), round(y - long * math.sin(angle)))
        end = (round(x + long * math.cos(angle)), round(y + long * math.sin(angle)))
        cv2.line(cover, start, end, rng.uniform(0, 0.5), max(1, round(capital * rng.uniform(0.02, 0.06))), cv2.LINE_AA)


@lru_cache(maxsize=1)
def _noise() -> MatLike:
    """Return a noise field larger than a frame; each frame uses a different region of it."""
    return np.random.default_rng(1).standard_normal((SIZE[1] + _SPARE, SIZE[0] + _SPARE, 3), np.float32)


def _through_the_camera(image: MatLike, level: Level, capital: float, later: random.Random) -> bytes:
    """Return the image as a camera sends it: motion and focus blur, noise, JPEG.

    Args:
        image: Float32, BGR, gray levels.
        level: Gives the ranges.
        capital: Height of the number's capitals in pixels, the unit of blur and motion.
        later: Random numbers of this moment.
    """
    blur, motion = later.uniform(*level.blur) * capital, later.uniform(0, level.motion) * capital
    if motion > 1:
        size = 2 * math.ceil(motion / 2) + 1
        kernel = np.zeros((size, size), np.float32)
        angle = later.uniform(0, math.pi)
        reach = (motion / 2 * math.cos(angle), motion / 2 * math.sin(angle))
        middle = size // 2
        cv2.line(
            kernel,
            (round(middle - reach[0]), round(middle - reach[1])),
            (round(middle + reach[0]), round(middle + reach[1])),
            1.0,
            1,
            cv2.LINE_AA,
        )
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    if blur > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    x, y = later.randrange(_SPARE), later.randrange(_SPARE)
    noise = _noise()[y : y + image.shape[0], x : x + image.shape[1]]
    seen = np.clip(image + noise * later.uniform(*level.noise), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, later.randint(*level.quality)])[1])
