"""Measure reading and verdict on photographs with known truth.

    python bench/vision.py --photos FOLDER [--catalogue parts.yaml] [--json FILE] [--show]

FOLDER holds pictures and truth.json: a list of {"file", "part_number"}. Without a catalogue, the part numbers of truth.json are
the catalogue. Every photo is judged against every part: a verdict MATCH for another part than the true one is a false accept.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cell_common.catalogue import Catalogue, Part, load_catalogue
from cell_vision.confusions import load_weights
from cell_vision.engine import ENGINES, Engine, EngineOptions, make_engine
from cell_vision.matching import Decision, Matcher, Verdict
from cell_vision.seeing import see
from cell_vision.worker import warm_up

UNDECIDED = {Verdict.UNREADABLE, Verdict.UNKNOWN, Verdict.AMBIGUOUS}
"""The frame is read once more, carefully, as the ocr node does it after such a verdict."""


@dataclass
class Result:
    """What one run measured."""

    engine: str
    photos: int = 0
    right: int = 0
    pairs: int = 0
    false_accepts: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    read_ms: list[float] = field(default_factory=list)
    judge_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    first: int = 0
    missed: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return the figures that are reported."""
        return {
            'engine': self.engine, 'photos': self.photos, 'right': self.right, 'right at the first look': self.first,
            'pairs': self.pairs, 'false accepts': self.false_accepts, 'verdicts on the true part': dict(self.verdicts),
            'read ms (median, p95)': _spread(self.read_ms), 'verdict ms (median, p95)': _spread(self.judge_ms),
            'frame to verdict ms (median, p95)': _spread(self.whole_ms),
            'memory MB (peak)': round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def main() -> int:
    """Run the bench; the exit code is 1 when a wrong part was accepted."""
    options = _options()
    truth = json.loads((options.photos / 'truth.json').read_text())
    catalogue = load_catalogue(options.catalogue) if options.catalogue else _catalogue(truth)
    matcher = Matcher(catalogue, load_weights())
    engine = make_engine(options.engine, EngineOptions(detector_side=options.side, backend=options.backend))
    warm_up(engine, options.side)
    result = measure(engine, matcher, options.photos, truth, fast=not options.plain, show=options.show)
    for name, value in result.summary().items():
        print(f'{name:36} {value}')
    for line in result.missed:
        print('  ', line)
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1))
    return 1 if result.false_accepts else 0


def measure(engine: Engine, matcher: Matcher, folder: Path, truth: Sequence[dict[str, str]], *, fast: bool = True,
            show: bool = False) -> Result:
    """Read every photo once and judge it against every part."""
    result = Result(engine.name)
    for entry in truth:
        data = (folder / entry['file']).read_bytes()
        begin = time.perf_counter()
        reading = see(engine, data, {'fast': fast})
        read = time.perf_counter()
        decision = matcher.decide(entry['part_number'], reading.readings)
        judged = time.perf_counter()
        result.read_ms.append((read - begin) * 1000)
        result.judge_ms.append((judged - read) * 1000)
        result.first += decision.verdict is Verdict.MATCH and decision.part_number == entry['part_number']
        looks = [reading]
        if fast and decision.verdict in UNDECIDED:
            looks.append(see(engine, data, {'careful': True}))
            decision = matcher.decide(entry['part_number'], looks[-1].readings)
        result.whole_ms.append((time.perf_counter() - begin) * 1000)
        _count(result, entry, decision)
        for part in matcher.catalogue.parts:
            result.pairs += 1
            verdicts = {matcher.decide(part, look.readings).verdict for look in looks}
            if part != entry['part_number'] and Verdict.MATCH in verdicts:
                result.false_accepts += 1
                texts = [text.text for look in looks for text in look.readings]
                result.missed.append(f'FALSE ACCEPT {entry["file"]} as {part}: {texts}')
        if show or decision.verdict is not Verdict.MATCH:
            result.missed.append(f'{entry["file"]} {decision.verdict.value} {decision.score:.2f}: {decision.reason} '
                                 f'{[(r.text, round(r.score, 2)) for r in looks[-1].readings]}')
    return result


def _count(result: Result, entry: dict[str, str], decision: Decision) -> None:
    result.photos += 1
    result.verdicts[decision.verdict.value] += 1
    result.right += decision.verdict is Verdict.MATCH and decision.part_number == entry['part_number']


def _catalogue(truth: Sequence[dict[str, str]]) -> Catalogue:
    return Catalogue({number: Part(number, 'A', ()) for number in sorted({entry['part_number'] for entry in truth})})


def _spread(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return round(ordered[len(ordered) // 2], 1), round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=Path, required=True)
    parser.add_argument('--catalogue', type=Path)
    parser.add_argument('--side', type=int, default=960, help='longest side of the picture given to the detector')
    parser.add_argument('--engine', default='ppocr', choices=ENGINES)
    parser.add_argument('--backend', default='auto')
    parser.add_argument('--plain', action='store_true', help='read whole frames only, without looking for the part first')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--show', action='store_true', help='print every photo, not only those not matched')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
