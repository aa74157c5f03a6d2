"""Learn confusion costs and the confidence of a verdict from drawn frames; write the data file of the matcher.

    python bench/learn_confusions.py [--strips N] [--frames N] [--write]

Prices come from the split train: lines of random characters, printed and spoiled as those of the frames are, are read, and a
pair's price falls with the share of its characters that are read as the other: a whole error costs 1. How dear a match may be
(accept) and how far the runner-up must lie behind (margin) are chosen on whole frames of the split train, see `choose`. The
calibration comes from whole frames of the split dev. The photographs and the split test are never looked at. Without --write
the result is only printed. With the same fonts and networks the same file comes out every time.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import yaml
from cell_common.catalogue import Catalogue
from cell_vision.matching.alignment import SEAM, normalize
from cell_vision.matching.confusions import DIGITS, ONE_WAY, ConfusionWeights, equivalence_classes, parse_pairs
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher
from cell_vision.matching.text_lines import group_lines
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.ppocr import PpOcrEngine
from cell_vision.ocr.engines.ppocr_ops import TextStrip
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.pipeline import read_frame
from cell_vision.types import Reading
from rapidfuzz.distance import Levenshtein
from vision_frames import LEVELS, Level, bench_catalogue, frame
from vision_prints import faces, printed
from vision_tables import TWINS

if TYPE_CHECKING:
    from cv2.typing import MatLike

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / 'src' / 'cell_vision' / 'cell_vision' / 'data' / 'confusions.yaml'
CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890123456789-'
LEAST_SEEN = 3
"""A pair misread less often is ignored."""
LIKENESS = 0.6
"""Least similarity of a text to the printed line; a less similar text is another line."""
RARE = 1e-4
"""Rate of a confusion that costs 1."""
PRIOR = {
    '0O': 0.1,
    '0Q': 0.2,
    'OQ': 0.2,
    '0D': 0.35,
    'DO': 0.35,
    '1I': 0.1,
    '1L': 0.25,
    'IL': 0.25,
    '2Z': 0.2,
    '5S': 0.2,
    '6G': 0.35,
    '8B': 0.25,
    'UV': 0.45,
}
"""Pairs that typefaces print nearly alike. Their prior keeps a small data set from unlearning them."""
PRIOR_WEIGHT = 40
"""Weight of the prior, in characters."""
EXPECTED = (1.0, 0.5, 4.0)
"""Prior of bias, certainty and cost: few errors in a data set must not reverse a sign."""
ACCEPTS, MARGINS = (0.2, 0.3, 0.4, 0.5), (0.5, 0.6, 0.7)
"""Candidates for accept and margin: at most half an error is accepted, and two parts differ by at least half an error."""
WORST = 0.6
"""Pairs that cost more are left out: they are nearly whole errors."""
Read = tuple[str, str, str, list[Reading]]
"""Part number ("" = none of the catalogue), printed line, level, readings."""


def main() -> int:
    """Learn the costs, print them, and write the data file on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--strips', type=int, default=1500, help='number of lines from which the costs are learned')
    parser.add_argument('--frames', type=int, default=50, help='frames of each level of train and of dev')
    parser.add_argument('--write', action='store_true', help='replace the data file of the package')
    options = parser.parse_args()
    cv2.setNumThreads(1)
    train = read_strips(options.strips)
    seen, misread = count(train)
    pairs = prices(seen, misread)
    print(yaml.safe_dump({'pairs': pairs}), f'{sum(seen.values())} characters, {sum(misread.values())} misread')
    labels = read_split('train', options.frames)
    accept, margin = choose(labels, weights_with(pairs))
    print(yaml.safe_dump({'accept': accept, 'margin': margin}))
    dev = read_split('dev', options.frames)
    calibration = calibrate(features(dev, weights_with(pairs, accept=accept, margin=margin)))
    print(yaml.safe_dump({'calibration': calibration}))
    if options.write:
        made = (
            f'learned by bench/learn_confusions.py from {len(train)} lines of the split train ({sum(seen.values())}\n'
            f'# characters, {sum(misread.values())} misread), accept and margin chosen on {len(labels)} frames of train,\n'
            f'# score calibrated on {len(dev)} frames of dev'
        )
        write(pairs, {'accept': accept, 'margin': margin}, calibration, made)
    return 0


def read_strips(count: int) -> list[Read]:
    """Draw, degrade and read lines of random characters, of each level in turn."""
    engine = PpOcrEngine(EngineOptions())
    result: list[Read] = []
    for number in range(count):
        rng = random.Random(f'train strip {number}')
        level = LEVELS[list(LEVELS)[number % len(LEVELS)]]
        text = ''.join(rng.choice(CHARACTERS) for _ in range(rng.randint(6, 10)))
        image = _strip(text, level, rng)
        high, wide = image.shape[:2]
        read = engine.recognize(TextStrip(image, ((0, 0), (wide, 0), (wide, high), (0, high))))
        result.append(('', text, level.name, [read] if read.text.strip() else []))
    return result


def _strip(text: str, level: Level, rng: random.Random) -> MatLike:
    """Draw one line as the detector would crop it.

    Args:
        text: Characters of CHARACTERS.
        level: Ranges of letter height in pixels, contrast and noise in gray levels, and blur as a share of the letter height.
        rng: Draws from these ranges, so equal seeds give equal strips.

    Returns:
        uint8, BGR, with a rim of 0.15 to 0.4 letter heights.
    """
    capital = rng.uniform(*level.capital)
    look = rng.choices(('font', 'dots', 'laser'), level.looks)[0]
    cover = printed(text, look, rng.choice(faces('train')), max(6, round(capital)), rng)
    rim = round(capital * rng.uniform(0.15, 0.4))
    cover = cv2.copyMakeBorder(cover, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=0)
    contrast = rng.uniform(*level.contrast)
    ground = rng.uniform(10, 245 - contrast)
    gray: MatLike = ground + contrast * (cover if rng.random() < 0.5 else 1 - cover)
    blur = rng.uniform(*level.blur) * capital
    gray = cv2.GaussianBlur(gray, (0, 0), blur) if blur > 0.25 else gray
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(*level.noise), gray.shape)
    return cv2.cvtColor(np.clip(gray + noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def read_split(split: str, count: int) -> list[Read]:
    """Read the first frames of each level of a split, not carefully.

    Args:
        split: Name of the split; learning must not see the split "test".
        count: Frames of each level.

    Returns:
        (part number, print on the part, level, readings) of each frame with print, or with no part in view.
    """
    engine = make_engine('ppocr', EngineOptions())
    parts = list(bench_catalogue(ROOT / 'config').parts)
    result: list[Read] = []
    for level in LEVELS:
        for number in range(count):
            shot = frame(split, level, number, parts)
            if shot.text or shot.kind == 'none':
                result.append((shot.part_number, shot.text, level, list(read_frame(engine, shot.data, {}).readings)))
        print(f'{split} {level}: {count} frames read', file=sys.stderr)
    return result


def count(reads: Iterable[Read]) -> tuple[Counter[str], Counter[str]]:
    """Return the count of each printed character in the lines found, and of each misreading: VU = V read as U."""
    seen: Counter[str] = Counter()
    misread: Counter[str] = Counter()
    for _, text, _, readings in reads:
        wanted = _bare(text)
        lines = [_bare(line.text) for line in group_lines(readings)]
        best = max(lines, key=lambda line: Levenshtein.normalized_similarity(wanted, line), default='')
        if not wanted or Levenshtein.normalized_similarity(wanted, best) < LIKENESS:
            continue
        seen.update(wanted)
        for kind, i, j in Levenshtein.editops(wanted, best).as_list():
            if kind == 'replace':
                misread[wanted[int(i)] + best[int(j)]] += 1
    return seen, misread


def prices(seen: Counter[str], misread: Counter[str]) -> dict[str, float]:
    """Return the cost of each pair: log of its rate relative to RARE; pairs of digits are left out.

    A pair that is misread in one direction only is listed for that one.

    Args:
        seen: Character -> times that it was printed.
        misread: Printed and read character -> times.

    Returns:
        Pair of characters -> cost of the confusion, 0.05 to 1 (as rare as RARE).
    """
    result = {}
    both = Counter({pair: misread[pair] + misread[pair[::-1]] for pair in {min(pair, pair[::-1]) for pair in misread}})
    for pair in sorted(set(PRIOR) | {pair for pair, times in both.items() if times >= LEAST_SEEN}):
        if set(pair) <= set(DIGITS):
            continue
        known = PRIOR.get(pair)
        prior = RARE**known if known is not None else RARE
        directed = _directed(pair, misread)
        printed = directed[0] if ONE_WAY in directed else pair
        rate = (both[pair] + PRIOR_WEIGHT * prior) / (sum(seen[character] for character in printed) + PRIOR_WEIGHT)
        price = round(min(1.0, max(0.05, math.log(rate) / math.log(RARE))), 2)
        if price <= WORST:
            result[directed] = price
    return result


def _directed(pair: str, misread: Counter[str]) -> str:
    """Return a pair with the direction in which it is misread, or unchanged if both occur."""
    there, back = misread[pair], misread[pair[::-1]]
    if min(there, back) or max(there, back) < LEAST_SEEN:
        return pair
    return ONE_WAY.join(pair if there else pair[::-1])


def weights_with(pairs: dict[str, float], **changed: float) -> ConfusionWeights:
    """Return the shipped weights with the learned values instead of those of the file."""
    known = parse_pairs(pairs)
    return replace(load_weights(), pairs=known, classes=equivalence_classes(known), **changed)  # type: ignore[arg-type]


def choose(reads: Sequence[Read], weights: ConfusionWeights) -> tuple[float, float]:
    """Return accept and margin that accept nothing wrong; among these the fewest rejections, then the highest accept.

    Each frame is judged against the catalogue, and against the catalogue without its part: there every match is wrong. A
    digit
    misread is a whole error and costs 1, so that accept and margin stay at half a whole error or on the strict side of it:
    that bound is reasoned, not learned, and where the frames cannot tell the limits on its strict side apart, it stays.

    Args:
        reads: Result of `read_split`.
        weights: Learned costs; their own limits are not used.
    """
    whole = bench_catalogue(ROOT / 'config')
    short = {part: Catalogue({name: item for name, item in whole.parts.items() if name != part}) for part in whole.parts}
    ranked = []
    for accept in ACCEPTS:
        for margin in MARGINS:
            limits = replace(weights, accept=accept, margin=margin)
            matchers = {name: Matcher(parts, limits) for name, parts in {'': whole, **short}.items()}
            named = [(part, _named(matchers[''], readings)) for part, _, _, readings in reads]
            wrong = sum(found not in {'', part} for part, found in named)
            wrong += sum(bool(_named(matchers[part], readings)) for part, _, _, readings in reads if part and part not in TWINS)
            missed = sum(found != part for part, found in named if part not in TWINS)
            ranked.append((wrong, missed, -accept, margin))
            print(f'accept {accept} margin {margin}: {wrong} wrong, {missed} not recognized', file=sys.stderr)
    _, _, accept, margin = min(ranked)
    return -accept, margin


def _named(matcher: Matcher, readings: Sequence[Reading]) -> str:
    """Return the recognized part, independent of the ordered one; "" = none."""
    return matcher.match(next(iter(matcher.catalogue.parts)), readings).part_number


def features(reads: Iterable[Read], weights: ConfusionWeights) -> list[tuple[float, float, bool]]:
    """Return line score, cost and truth of the most likely part of each frame, without twins.

    Args:
        reads: Result of `read_split`; frames without a named part are left out.
        weights: Learned costs and limits.
    """
    matcher = Matcher(bench_catalogue(ROOT / 'config'), weights)
    result = []
    for part, _, _, readings in reads:
        named = matcher.most_likely(readings)
        if named is not None and part not in TWINS:
            result.append((named.line.score, named.cost, named.part_number == part))
    return result


def calibrate(samples: Sequence[tuple[float, float, bool]], steps: int = 60) -> dict[str, float]:
    """Fit P(right) = 1 / (1 + exp(-(bias + certainty * logit(score) - price * cost))), held near EXPECTED (Newton's method).

    Args:
        samples: Line score (0..1), cost, and whether the named part was the printed one.
        steps: Newton steps; a fit that does not need them all stays where it is.

    Returns:
        The three coefficients by name.
    """
    x = np.array([(1.0, math.log(s / (1 - s)), -c) for s, c, _ in ((min(0.999, max(0.01, s)), c, r) for s, c, r in samples)])
    # Platt's targets keep a fit on separable samples finite.
    right = sum(r for *_, r in samples)
    high, low = (right + 1) / (right + 2), 1 / (len(samples) - right + 2)
    y = np.array([high if r else low for *_, r in samples])
    start = np.array(EXPECTED)
    theta = start.copy()
    for _ in range(steps):
        p = 1 / (1 + np.exp(-x @ theta))
        slope = x.T @ (y - p) - (theta - start)
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.eye(3)
        theta = theta + np.linalg.solve(curve, slope)
    return {name: round(float(value), 3) for name, value in zip(('bias', 'certainty', 'price'), theta, strict=True)}


def write(pairs: dict[str, float], limits: dict[str, float], calibration: dict[str, float], made: str) -> None:
    """Replace the learned values in the data file; everything else stays.

    Args:
        pairs: Pair of characters -> cost.
        limits: `accept` and `margin`.
        calibration: Coefficients of the score.
        made: Command and date, for the comment in the file.
    """
    text = DATA.read_text(encoding='utf-8')
    head, rest = text.split('pairs:\n', 1)
    tail = rest[rest.index('# Characters between') :]
    tail = tail[: tail.index('# What a score means')] if '# What a score means' in tail else tail
    for name, value in limits.items():
        found = re.search(rf'^{name}: \S+', tail, flags=re.MULTILINE)
        if found is not None:
            tail = tail[: found.start()] + f'{name}: {value}'.ljust(len(found[0])) + tail[found.end() :]
    head = head[: head.index('# Made:')].rstrip('\n') + f'\n# Made: {made}.\n'
    listed = ''.join(f"  '{pair}': {price}\n" for pair, price in pairs.items())
    score = ''.join(f'  {name}: {value}\n' for name, value in calibration.items())
    meaning = (
        '# What a score means: 1 / (1 + exp(-(bias + certainty * logit(line score) - price * cost))) is how often such\n'
        '# a naming is right.\n'
    )
    DATA.write_text(f'{head}pairs:\n{listed}{tail}{meaning}calibration:\n{score}', encoding='utf-8')


def _bare(text: str) -> str:
    return ''.join(c for c in normalize(text).replace(SEAM, '') if c.isalnum())


if __name__ == '__main__':
    sys.exit(main())
