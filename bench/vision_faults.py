"""Draw prints with faults, and count how often another part of the catalogue is accepted: this must never happen.

    python bench/vision_faults.py [--frames N] [--kinds worn faded scratched cut glared turned] [--seed TEXT]

worn: one character inside the number is gone (a last one leaves no trace); faded: the first or last one
kept a little of its ink; scratched: a character inside is faint, and lines go through it; cut: the frame's rim cuts the number;
glared: a reflection hides an end of it; turned: the number becomes another one upside down.
Each frame is judged against every part of its catalogue: wrong is a frame that would be placed for another part.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.pipeline import read_frame
from numpy.typing import NDArray
from vision_prints import faces, printed

if TYPE_CHECKING:
    from cv2.typing import MatLike

SIZE = (1280, 720)
KINDS = ('worn', 'faded', 'scratched', 'cut', 'glared', 'turned')
CHIPS = tuple(
    f'74LS{n}' for n in ('00', '02', '10', '11', '12', '112', '13', '113', '19', '190', '191', '192', '92', '122', '123')
)
RELAYS = ('MY4N', 'MY4N-J', 'MY4N-J2', 'G2R-1', 'G2R-1-S', 'G2R-1-SND', 'HF115F-01', 'HF115F-012', 'DT04-2P', 'DT04-2PA')
TURNABLE = ('9060-8', '8-0906', 'NSX-6809', '6089-XSN', 'HX-19', '61-XH')
CATALOGUE = (*CHIPS, *RELAYS, *TURNABLE)


def fault_frame(kind: str, number: int, seed: str = '') -> tuple[bytes, str]:
    """Return a JPEG and the part in view; the same ones every time.

    Args:
        kind: One of KINDS.
        number: Number of the frame; seeds everything that varies.
        seed: Another text gives other frames.
    """
    rng = random.Random(f'{seed}{kind} {number}')
    part = (TURNABLE if kind == 'turned' else (*CHIPS, *RELAYS))[
        number % (len(TURNABLE) if kind == 'turned' else len(CHIPS + RELAYS))
    ]
    high = rng.randint(24, 60)
    strip = printed(part, 'font', rng.choice(faces('dev')), high, rng)
    ground, ink = (
        (rng.uniform(150, 225), rng.uniform(15, 60)) if rng.random() < 0.6 else (rng.uniform(20, 70), rng.uniform(150, 230))
    )
    image: NDArray[Any] = np.full((SIZE[1], SIZE[0]), ground, np.float32)
    tall, wide = strip.shape
    left, top = rng.randint(200, 500), rng.randint(200, 450)
    at = rng.randrange(1, len(part) - 1) if kind in {'worn', 'scratched'} else rng.randrange(1, len(part))
    begin, end = (round(wide * (at + shift) / len(part)) for shift in (0, 1))
    if kind == 'worn':
        strip = _without(strip, at, len(part))
    if kind == 'scratched':
        strip = _scratched(strip, at, len(part), rng)
    if kind == 'faded':
        strip = _faded(strip, rng)
    image[top : top + tall, left : left + wide] += (ink - ground) * strip
    if kind == 'glared':
        cv2.ellipse(
            image, (left + (begin + wide) // 2, top + tall // 2), ((wide - begin) // 2 + high // 2, high), 0, 0, 360, 255.0, -1
        )
        image = cv2.GaussianBlur(image, (0, 0), 2.0)
    if kind == 'cut':
        image = image[:, : left + end - (end - begin) // 3]
    if kind == 'turned':
        image = cv2.rotate(image, cv2.ROTATE_180)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 4), image.shape)
    seen = np.clip(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.2)) + noise, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode('.jpg', seen, [cv2.IMWRITE_JPEG_QUALITY, 88])[1]), part


def _scratched(strip: MatLike, at: int, count: int, rng: random.Random) -> MatLike:
    """Make one character faint and draw lines of ground through it."""
    kept = rng.uniform(0.05, 0.6)
    worn = np.asarray(strip - (1 - kept) * (strip - _without(strip, at, count)), np.float32)
    tall, wide = worn.shape
    begin, end = round(wide * at / count), round(wide * (at + 1) / count)
    for _ in range(rng.randint(1, 3)):
        ends = [(rng.randint(begin, end), rng.randrange(tall)) for _ in range(2)]
        cv2.line(worn, ends[0], ends[1], 0.0, max(1, tall // 12), cv2.LINE_AA)
    return worn


def _faded(strip: MatLike, rng: random.Random) -> MatLike:
    """Let the first or last piece of print between two columns without ink keep a share of its ink."""
    bare = np.flatnonzero(strip[:, 3:-3].max(0) < 0.2) + 3
    kept = rng.uniform(0.08, 0.35)
    faded = strip.copy()
    if not len(bare):
        return faded
    side = slice(0, int(bare[0])) if rng.random() < 0.3 else slice(int(bare[-1]), None)
    faded[:, side] = faded[:, side] * kept
    return faded


def _without(strip: MatLike, at: int, count: int) -> MatLike:
    """Remove the print that is nearest to the place of one character: the piece between two columns without ink."""
    bare = strip.max(0) < 0.2
    middle = round(strip.shape[1] * (at + 0.5) / count)
    left = next((x for x in range(middle, -1, -1) if bare[x]), 0)
    right = next((x for x in range(middle, strip.shape[1]) if bare[x]), strip.shape[1] - 1)
    worn = strip.copy()
    worn[:, left : right + 1] = 0
    return worn


def false_accepts(kind: str, frames: int, seed: str) -> tuple[int, Sequence[str]]:
    """Return the number of pairs and a line for each part that was accepted although another one is in view.

    Args:
        kind: One of KINDS.
        frames: Frames to draw.
        seed: See `fault_frame`.
    """
    matcher = Matcher(Catalogue({part: Part(part, 'A', ()) for part in CATALOGUE}), load_weights())
    engine = make_engine('ppocr', EngineOptions())
    wrong = []
    for number in range(frames):
        data, part = fault_frame(kind, number, seed)
        for careful in (False, True):
            readings = read_frame(engine, data, {'careful': careful}).readings
            decision = matcher.match(part, readings, frames=3)
            # MISMATCH names the only other part that could match; if it was ordered, a second part in view may still stop it.
            named = decision.part_number
            if (
                decision.verdict is MatchOutcome.MISMATCH
                and matcher.match(named, readings, frames=3).verdict is MatchOutcome.MATCH
            ):
                wrong.append(f'{kind} {number}: {part} taken for {decision.part_number}: {decision.reason}')
            if decision.verdict is MatchOutcome.MATCH:
                break
    return frames * len(CATALOGUE), wrong


def main() -> int:
    """Run the bench; the exit code is 1 when a wrong part was accepted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=160, help='of each kind')
    parser.add_argument('--kinds', nargs='+', choices=KINDS, default=list(KINDS))
    parser.add_argument('--seed', default='', help='another text draws other frames')
    options = parser.parse_args()
    total = 0
    for kind in options.kinds:
        pairs, wrong = false_accepts(kind, options.frames, options.seed)
        total += len(wrong)
        print(f'{kind}: {pairs} pairs, {len(wrong)} false accepts')
        print('\n'.join(wrong))
    return 1 if total else 0


if __name__ == '__main__':
    raise SystemExit(main())
