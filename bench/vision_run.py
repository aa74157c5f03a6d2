"""Reads the frames of bench/vision.py with our reader or another one, and judges them against every part of the catalogue."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cell_vision.matching.alignment import SEAM, normalize
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.matching.text_lines import group_lines
from cell_vision.ocr.engines.base import Engine
from cell_vision.ocr.fusion import fuse_frames
from cell_vision.ocr.pipeline import read_frame
from cell_vision.types import Polygon, Reading
from vision_frames import Frame, frame
from vision_peers import Peer

UNDECIDED = {MatchOutcome.UNREADABLE, MatchOutcome.UNKNOWN, MatchOutcome.AMBIGUOUS}
"""Verdicts after which the frame is read once more, carefully, as in the cell."""
OLD_RULE = 0.6


@dataclass
class Row:
    """Result of one reader for one frame."""

    name: str
    level: str
    kind: str
    part_number: str
    text: str
    look: str
    milliseconds: float = 0.0
    """From the compressed frame to the verdict, processor time of one thread: other load on the machine does not count."""
    wall: float = 0.0
    """The same in wall-clock time."""
    judged: float = 0.0
    """Share of the verdict in it, milliseconds."""
    exact: bool = False
    careful: bool = False
    """Whether the frame was read a second time."""
    verdict: str = ''
    """Verdict on the true part; "" when the part is not in the catalogue."""
    accepted: list[str] = field(default_factory=list)
    """Parts that the frame matched."""
    pairs: int = 0
    best: tuple[str, float] = ('', 0.0)
    """The most likely part and its score."""
    texts: list[tuple[str, float]] = field(default_factory=list)
    reason: str = ''
    looks: list[list[tuple[str, float, Polygon]]] = field(default_factory=list)
    """Text, score and polygon of each reading, so that the row can be judged again."""

    @property
    def false_accepts(self) -> list[str]:
        """Return the matched parts other than the true one."""
        return [part for part in self.accepted if part != self.part_number]


Look = tuple[Sequence[Reading], Decision, float, float, bool]


def exact(text: str, readings: Sequence[Reading]) -> bool:
    """Return whether the printed line was read exactly: as a whole line, or as whole words of one.

    Args:
        text: Printed line; blanks and confusable characters are normalized as by the matcher.
        readings: Result of one frame.
    """
    wanted = ''.join(normalize(text).split())
    for line in group_lines(readings):
        words = line.text.replace(SEAM, '').split()
        if any(''.join(words[i:j]) == wanted for i in range(len(words)) for j in range(i + 1, len(words) + 1)):
            return True
    return False


def frames(split: str, level: str, count: int, parts: Sequence[str]) -> Iterator[Frame]:
    """Return the first frames of a level.

    Args:
        split: Seed of the frames: dev, train or test.
        level: easy, medium or hard.
        count: Number of frames.
        parts: Part numbers that may be printed.
    """
    for number in range(count):
        yield frame(split, level, number, parts)


def run_ours(engine: Engine, matcher: Matcher, shot: Frame, level: str, expected: str, *, careful: bool = True) -> Row:
    """Read a frame as the cell does and judge it against every part.

    Args:
        engine: The reader's engine.
        matcher: Holds the catalogue.
        shot: What is read.
        level: For the row.
        expected: The part the verdict is timed on.
        careful: Read an undecided frame once more.
    """
    begin, start = time.process_time(), time.perf_counter()
    reading = read_frame(engine, shot.data, {})
    read = time.process_time()
    decision = matcher.match(expected, reading.readings)
    done, end = time.process_time(), time.perf_counter()
    looks, again = [reading.readings], careful and decision.verdict in UNDECIDED
    judged = done - read
    if again:
        looks.append(read_frame(engine, shot.data, {'careful': True}).readings)
        decision = matcher.match(expected, looks[-1])
        done, end = time.process_time(), time.perf_counter()
    row = _row(shot, level, looks[-1], (done - begin) * 1000)
    row.looks = [[(r.text, r.score, r.polygon) for r in readings] for readings in looks]
    row.judged, row.careful, row.wall = judged * 1000, again, (end - start) * 1000
    _judge(row, matcher, looks)
    return row


def rejudge(row: Row, matcher: Matcher) -> Row:
    """Judge a stored row again, by a matcher that may have other weights; reading takes most of the time and is not repeated.

    Args:
        row: Row with its readings.
        matcher: Decides.
    """
    again = replace(row, accepted=[], pairs=0, verdict='', best=('', 0.0))
    _judge(
        again,
        matcher,
        [[Reading(text, score, _polygon(corners)) for text, score, corners in look] for look in row.looks],
    )
    return again


def run_peer(peer: Peer, matcher: Matcher, shot: Frame, level: str) -> Row:
    """Read a frame with another reader; judge it by our matcher, or by the old rule after the old preprocessing.

    Args:
        peer: Running process of the reader.
        matcher: Judges its readings, so that only the reading is compared.
        shot: Frame with its truth.
        level: Name of the level.
    """
    answer = peer.read(shot.data)
    readings = [Reading(text, score, _polygon(corners)) for text, score, corners in answer['texts'] if text.strip()]
    row = _row(shot, level, readings, answer['ms'])
    row.wall = answer['wall']
    if peer.name.startswith('classic'):
        _old_rule(row, list(matcher.catalogue.parts))
    else:
        _judge(row, matcher, [readings])
    return row


def _row(shot: Frame, level: str, readings: Sequence[Reading], milliseconds: float) -> Row:
    """Return a row with the reading, not judged yet.

    Args:
        shot: The frame with its true text.
        level: Name of its level of difficulty.
        readings: What was read.
        milliseconds: Time of the reading.
    """
    return Row(
        shot.name,
        level,
        shot.kind,
        shot.part_number,
        shot.text,
        shot.look,
        milliseconds,
        exact=bool(shot.text) and exact(shot.text, readings),
        texts=[(r.text, round(r.score, 3)) for r in readings],
    )


def _judge(row: Row, matcher: Matcher, looks: Sequence[Sequence[Reading]]) -> None:
    """Judge every reading against every part, and write the decisions into the row.

    Args:
        row: Gets the parts that any reading matched: each of these is an acceptance, right or wrong.
        matcher: With the whole catalogue.
        looks: Readings of the same frame: the quick one, then the careful one if there was one.
    """
    for part in matcher.catalogue.parts:
        # Each reading counts alone: the cell would have acted on the first one.
        decisions = [matcher.match(part, readings) for readings in looks]
        row.pairs += 1
        if any(decision.verdict is MatchOutcome.MATCH for decision in decisions):
            row.accepted.append(part)
        if part == row.part_number:
            row.verdict, row.reason = decisions[-1].verdict.value, decisions[-1].reason
        if decisions[-1].candidates:
            row.best = decisions[-1].candidates[0]


def _old_rule(row: Row, parts: Sequence[str]) -> None:
    """Judge by the rule of the old backend: a similarity of OLD_RULE to any text is a match."""
    texts = [normalize(text) for text, _ in row.texts]
    for part in parts:
        row.pairs += 1
        if any(difflib.SequenceMatcher(None, part, text).ratio() >= OLD_RULE for text in texts):
            row.accepted.append(part)
    if row.part_number:
        row.verdict = (MatchOutcome.MATCH if row.part_number in row.accepted else MatchOutcome.UNKNOWN).value


def voted(engine: Engine, matcher: Matcher, shots: Sequence[Frame], level: str) -> Row:
    """Read several frames of one part, fuse them by vote, and judge the result.

    Args:
        engine: The reader's engine.
        matcher: Holds the catalogue.
        shots: Frames of one part; the row is named after the last.
        level: For the row.
    """
    begin = time.process_time()
    readings = fuse_frames([read_frame(engine, shot.data, {}).readings for shot in shots])
    row = _row(shots[-1], level, readings, (time.process_time() - begin) * 1000)
    _judge(row, matcher, [readings])
    return row


def _polygon(corners: Sequence[Sequence[float]]) -> Polygon:
    """Return the four corners of a text as a polygon of the matcher."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)
