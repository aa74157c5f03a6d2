"""Draw a labeled part among things that are no part, or beside a second part that cannot be read; count the verdicts.

    python bench/vision_scenes.py [--frames N] [--kinds hole washer ...] [--seed TEXT]

Things that stand in a cell (hole, washer, screw, cable, reflection, shadow, scale, tape) must not stop a match. A second part
(blank, smeared, glared, turned away) must stop it: which of both was picked is not known. Parts that are not in the catalogue
must never match.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.ocr.engines.base import Engine, EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.pipeline import read_frame
from numpy.typing import NDArray
from vision_prints import faces, printed

SIZE = (1280, 720)
CLUTTER = ('hole', 'washer', 'screw', 'cable', 'reflection', 'shadow', 'scale', 'nothing')
SECONDS = ('blank', 'smeared', 'glared')
KINDS = (*CLUTTER, *SECONDS, 'unknown')
CATALOGUE = (
    'MY4N', 'MY4N-J', 'MY4N-D2', 'G2R-1-SN', 'G2R-1-SND', 'HF115F-012', 'JQX-115F', 'DT04-2P', 'DT04-4P', '968322-1',
    'EM1-2U1', 'G8NB-17S', 'LY2N-J', '3RT2016-1BB41', 'BTA16-600B', 'XT30U-M', '74LS112', '74LS12', '40R7', 'C0805-104K',
)  # fmt: skip
UNKNOWN = ('MY3N-J', 'G2R-2-SN', 'HF116F-012', 'DT06-3S', 'EM2-2U7', '74LS139', 'LY4N', 'BTA12-600B')
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """One frame.

    Attributes:
        data: JPEG.
        part: Part in view; "" when it is not in the catalogue.
        printed: Number as printed.
        kind: One of KINDS.
    """

    data: bytes
    part: str
    printed: str
    kind: str


def scene(kind: str, number: int, seed: str) -> Scene:
    """Draw one frame; the same one every time.

    Args:
        kind: One of KINDS.
        number: Number of the frame.
        seed: Another seed gives other frames.
    """
    rng = random.Random(f'{seed} {kind} {number}')
    name = UNKNOWN[number % len(UNKNOWN)] if kind == 'unknown' else CATALOGUE[number % len(CATALOGUE)]
    high = rng.randint(14, 34)
    image = _ground(rng)
    body = rng.random() < 0.5
    label = _label(name, high, rng, body)
    angle = rng.choice((0, 90, 180, 270)) + rng.uniform(-12, 12)
    at = (rng.uniform(480, 800), rng.uniform(280, 440))
    reach = _put(image, label, at, angle)
    if kind in SECONDS:
        other = _second(kind, rng.choice(CATALOGUE), high, rng, body)
        far = reach + 0.5 * math.hypot(*other.shape) + rng.uniform(0.2, 0.6) * max(label.shape)
        place = _free_place(at, far, 0.5 * math.hypot(*other.shape) + 12, rng)
        _put(image, other, place, angle + rng.uniform(-20, 20))
    else:
        for _ in range(rng.randint(1, 2)):
            _draw_clutter(kind, image, at, reach, rng)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 3.5), image.shape)
    seen = np.clip(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.0)) + noise, 0, 255).astype(np.uint8)
    data = bytes(cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(82, 95)])[1])
    return Scene(data, '' if kind == 'unknown' else name, name, kind)


def _ground(rng: random.Random) -> Image:
    """Draw a ground with a slope of light: brushed metal, paint or a rubber mat.

    Returns:
        Shape (height, width) of SIZE, float32, gray levels.
    """
    gray = rng.choice((rng.uniform(35, 80), rng.uniform(95, 150), rng.uniform(170, 215)))
    noise = np.random.default_rng(rng.getrandbits(32))
    wide, high = SIZE
    style = rng.randrange(3)
    if style == 0:  # brushed metal
        rows = np.repeat(noise.normal(0, 5, (high, 1)), wide, 1) + noise.normal(0, 2, (high, wide))
        texture = cv2.GaussianBlur(np.asarray(rows, np.float32), (0, 0), 1.2)
    elif style == 1:  # painted, slightly uneven
        texture = cv2.resize(np.asarray(noise.normal(0, 5, (9, 16)), np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    else:  # rubber mat
        texture = cv2.GaussianBlur(np.asarray(noise.normal(0, 12, (high, wide)), np.float32), (0, 0), 1.5)
    slope = np.linspace(-1, 1, wide, dtype=np.float32)[None, :] * rng.uniform(-18, 18)
    return np.asarray(gray + texture + slope, np.float32)


def _label(text: str, high: int, rng: random.Random, body: bool) -> Image:
    """Draw a label with one line, dark on light in two of three cases.

    Args:
        text: The line.
        high: Height of its capitals, pixels.
        rng: Draws typeface, margin and gray levels.
        body: Add the rim of the part that the label is on.

    Returns:
        Shape (height, width), float32, gray levels.
    """
    strip = printed(text, 'font', rng.choice(faces('test')), high, rng)
    edge = round(high * rng.uniform(0.4, 1.2))
    cover = np.pad(strip, edge)
    paper, dark = rng.uniform(185, 245), rng.uniform(10, 60)
    ground, ink = (paper, dark) if rng.random() < 0.65 else (dark, paper)
    label = np.asarray(ground + (ink - ground) * cover, np.float32)
    if body:
        rim = round(high * rng.uniform(0.6, 2.0))
        label = np.pad(label, rim, constant_values=rng.uniform(25, 200))
    return label


def _second(kind: str, text: str, high: int, rng: random.Random, body: bool) -> Image:
    """Draw a second part of a scene, in which its number cannot be read or is another one.

    Args:
        kind: blank (turned away), smeared, glared, or another one: a readable label.
        text: Its number.
        high: Height of the capitals, pixels.
        rng: Draws typeface, margin and gray levels.
        body: With the rim of a part around the label.
    """
    label = _label(text, high, rng, body)
    if kind == 'blank':  # turned away: the outline of a part without print
        label[:] = rng.uniform(20, 235)
        cv2.rectangle(label, (1, 1), (label.shape[1] - 2, label.shape[0] - 2), float(label[0, 0]) * 0.75, 2)
    if kind == 'smeared':
        label = np.asarray(cv2.GaussianBlur(label, (0, 0), 0.33 * high), np.float32)
    if kind == 'glared':
        middle = (label.shape[1] // 2, label.shape[0] // 2)
        spot = np.zeros_like(label)
        cv2.ellipse(spot, middle, (round(label.shape[1] * 0.42), round(label.shape[0] * 0.5)), 0, 0, 360, 1.0, -1)
        label = np.asarray(label + 255 * np.asarray(cv2.GaussianBlur(spot, (0, 0), 0.25 * high)), np.float32)
    return label


def _put(image: Image, label: Image, at: tuple[float, float], angle: float) -> float:
    """Draw a label; return the radius of the circle around it."""
    high, wide = label.shape
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
    matrix[:, 2] = matrix[:, 2] + (at[0] - wide / 2, at[1] - high / 2)
    warped = cv2.warpAffine(label, matrix, SIZE, flags=cv2.INTER_LINEAR)
    covered = cv2.warpAffine(np.ones_like(label), matrix, SIZE)
    image[:] = np.asarray(image * (1 - covered) + warped * covered, np.float32)
    return math.hypot(high, wide) / 2


def _free_place(at: tuple[float, float], far: float, margin: float, rng: random.Random) -> tuple[float, float]:
    """Return a place at a distance from another one: wholly in the frame if there is one, otherwise next to its middle."""
    places = [(at[0] + far * math.cos(turn), at[1] + far * math.sin(turn)) for turn in np.linspace(0, math.tau, 24).tolist()]
    rng.shuffle(places)
    inside = [(x, y) for x, y in places if margin < x < SIZE[0] - margin and margin < y < SIZE[1] - margin]
    return inside[0] if inside else min(places, key=lambda place: math.dist(place, (SIZE[0] / 2, SIZE[1] / 2)))


def _draw_clutter(kind: str, image: Image, at: tuple[float, float], reach: float, rng: random.Random) -> None:
    """Draw a thing that is no part beside the part; nothing where the frame has no room for it.

    Args:
        kind: One of CLUTTER.
        image: Shape (height, width), float32, gray levels; changed in place.
        at: Center of the part, pixels.
        reach: Radius of the circle around the part, pixels; the thing stays 20 pixels clear of it.
        rng: Draws side, distance and size.
    """
    side = rng.uniform(0, math.tau)
    far = reach + rng.uniform(25, 160)
    x = min(max(at[0] + far * math.cos(side), 60), SIZE[0] - 60)
    y = min(max(at[1] + far * math.sin(side), 60), SIZE[1] - 60)
    if math.hypot(x - at[0], y - at[1]) < reach + 20:
        return
    middle, gray = (round(x), round(y)), float(image[round(y), round(x)])
    radius = rng.randint(10, 34)
    if kind == 'hole':
        cv2.circle(image, middle, radius, gray * 0.25, -1, cv2.LINE_AA)
        cv2.circle(image, middle, radius, gray * 1.2 + 15, rng.choice((0, 1, 2)) or 1, cv2.LINE_AA)
    if kind == 'washer':
        cv2.circle(image, middle, radius, gray + rng.choice((-1, 1)) * rng.uniform(40, 70), -1, cv2.LINE_AA)
        cv2.circle(image, middle, round(radius * rng.uniform(0.4, 0.6)), gray * 0.5, -1, cv2.LINE_AA)
    if kind == 'screw':
        cv2.circle(image, middle, radius, gray + 60, -1, cv2.LINE_AA)
        turn = rng.uniform(0, math.pi)
        for extra in (0.0, math.pi / 2)[: rng.randint(1, 2)]:
            dx, dy = round(radius * 0.7 * math.cos(turn + extra)), round(radius * 0.7 * math.sin(turn + extra))
            cv2.line(
                image,
                (middle[0] - dx, middle[1] - dy),
                (middle[0] + dx, middle[1] + dy),
                gray * 0.3,
                max(2, radius // 5),
                cv2.LINE_AA,
            )
    if kind == 'cable':
        turn = side + math.pi / 2
        points = [
            (round(x + t * math.cos(turn) + 60 * math.sin(t / 180) * math.cos(side)), round(y + t * math.sin(turn)))
            for t in range(-1500, 1501, 25)
        ]
        cv2.polylines(image, [np.array(points, np.int32)], False, gray * 0.3, rng.randint(4, 12), cv2.LINE_AA)
    if kind == 'reflection':
        spot = np.zeros_like(image)
        cv2.ellipse(spot, middle, (radius * 2, radius), rng.uniform(0, 180), 0, 360, rng.uniform(60, 140), -1)
        image += np.asarray(cv2.GaussianBlur(spot, (0, 0), rng.uniform(2, 14)), np.float32)
    if kind == 'shadow':
        dark = np.ones_like(image)
        turn = side + math.pi / 2 + rng.uniform(-0.3, 0.3)
        edge = [(x + s * 2000 * math.cos(turn), y + s * 2000 * math.sin(turn)) for s in (-1, 1)]
        far_side = [(px + 2000 * math.cos(side), py + 2000 * math.sin(side)) for px, py in edge[::-1]]
        cv2.fillPoly(dark, [np.array(edge + far_side, np.int32)], rng.uniform(0.5, 0.8))
        image *= np.asarray(cv2.GaussianBlur(dark, (0, 0), rng.uniform(1, 12)), np.float32)
    if kind == 'scale':  # graduation marks of a stop or a ruler
        turn, pitch = side + math.pi / 2, rng.uniform(8, 14)
        for step in range(-6, 7):
            px, py = x + step * pitch * math.cos(turn), y + step * pitch * math.sin(turn)
            long = 16 if step % 5 == 0 else 9
            end = (round(px + long * math.cos(side)), round(py + long * math.sin(side)))
            cv2.line(image, (round(px), round(py)), end, gray * 0.4, 2, cv2.LINE_AA)


def judge(engine: Engine, matcher: Matcher, shot: Scene, *, careful: bool) -> Decision:
    """Return the decision of one look, without a learned empty view."""
    readings = read_frame(engine, shot.data, {'careful': careful}).readings
    return matcher.match(shot.part or CATALOGUE[0], readings)


def is_right(shot: Scene, decision: Decision) -> bool:
    """Return whether a verdict is right: a match of the part in view, and none with a second part or an unknown one."""
    if shot.kind in SECONDS or not shot.part:
        return decision.verdict not in {MatchOutcome.MATCH, MatchOutcome.MISMATCH}
    return decision.verdict is MatchOutcome.MATCH


def is_wrong(shot: Scene, decision: Decision) -> bool:
    """Return whether a piece would be placed that must not be."""
    if shot.kind in SECONDS or not shot.part:
        return decision.verdict in {MatchOutcome.MATCH, MatchOutcome.MISMATCH}
    return decision.verdict is MatchOutcome.MISMATCH


def main() -> int:
    """Run the bench; the exit code is 1 when a part was accepted that must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=60, help='of each kind')
    parser.add_argument('--kinds', nargs='+', choices=KINDS, default=list(KINDS))
    parser.add_argument('--seed', default='first draw')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args()
    matcher = Matcher(Catalogue({part: Part(part, 'A', ()) for part in CATALOGUE}), load_weights())
    engine = make_engine('ppocr', EngineOptions())
    wrong = 0
    for kind in options.kinds:
        counts: Counter[str] = Counter()
        for number in range(options.frames):
            shot = scene(kind, number, options.seed)
            decision = first = judge(engine, matcher, shot, careful=False)
            if decision.verdict not in {MatchOutcome.MATCH, MatchOutcome.MISMATCH}:
                decision = judge(engine, matcher, shot, careful=True)
            counts['right at the first look'] += is_right(shot, first)
            counts['right'] += is_right(shot, decision)
            counts['wrong'] += is_wrong(shot, decision)
            if options.verbose and not is_right(shot, decision):
                print(f'  {kind} {number} {shot.printed}: {decision.verdict.value} {decision.reason}')
        wrong += counts['wrong']
        print(f'{kind}: {options.frames} frames, {dict(counts)}', flush=True)
    return 1 if wrong else 0


if __name__ == '__main__':
    raise SystemExit(main())
