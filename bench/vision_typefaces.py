"""Measure reading and verdict on drawn frames in typefaces of industrial marking.

    python bench/vision_typefaces.py [--frames N] [--level medium] [--seed TEXT]

The frames are those of bench/vision.py with another typeface. Parts that print like another one of the catalogue are left out:
their reading is AMBIGUOUS in any typeface. A typeface whose package is not installed is left out, too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import vision_frames
from cell_common.catalogue import Catalogue
from cell_vision.matching.alignment import normalize
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.pipeline import read_frame
from vision_prints import FURTHER_FACES, is_installed

CONFIG = Path(__file__).resolve().parents[1] / 'config'
GOAL = 0.95


def without_twins(catalogue: Catalogue) -> Catalogue:
    """Return the parts whose number no other part prints alike."""
    fold = load_weights().fold
    folded = Counter(fold(normalize(text)) for part in catalogue.parts.values() for text in part.printed_text)
    return Catalogue(
        {
            number: part
            for number, part in catalogue.parts.items()
            if all(folded[fold(normalize(text))] == 1 for text in part.printed_text)
        }
    )


def main() -> int:
    """Run the bench; the exit code is 1 when a part was taken for another one or too few are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=60)
    parser.add_argument('--level', default='medium', choices=list(vision_frames.LEVELS))
    parser.add_argument('--seed', default='first draw')
    parser.add_argument('--faces', nargs='+', default=list(FURTHER_FACES), choices=list(FURTHER_FACES))
    options = parser.parse_args()
    catalogue = without_twins(vision_frames.bench_catalogue(CONFIG))
    parts, matcher = list(catalogue.parts), Matcher(catalogue, load_weights())
    engine = make_engine('ppocr', EngineOptions())
    level = replace(vision_frames.LEVELS[options.level], looks=(100, 0, 0))
    bad = False
    for face in options.faces:
        if not is_installed(face):
            print(f'{face}: left out, its package is not installed')
            continue
        counts: Counter[str] = Counter()
        shots = vision_frames.frames_in_face(face, level, options.frames, parts, options.seed)
        for shot in shots:
            look = first = matcher.match(shot.part_number, read_frame(engine, shot.data, {}).readings)
            if first.verdict is not MatchOutcome.MATCH:
                look = matcher.match(shot.part_number, read_frame(engine, shot.data, {'careful': True}).readings)
            counts['right at the first look'] += first.verdict is MatchOutcome.MATCH
            counts['right'] += look.verdict is MatchOutcome.MATCH
            counts['wrong'] += MatchOutcome.MISMATCH in {first.verdict, look.verdict}
            if look.verdict is not MatchOutcome.MATCH:
                print(f'  {face} {shot.text}: {look.verdict.value} {look.reason}')
        bad |= bool(counts['wrong']) or counts['right'] < GOAL * options.frames
        print(f'{face}: {options.frames} frames, {dict(counts)}', flush=True)
    return int(bad)


if __name__ == '__main__':
    raise SystemExit(main())
