"""Fuses readings of one part: of several passes over a frame, and of several frames.

Passes see the same print of one frame: the most certain reading of a place wins. A part that moves a little, or a noisy sensor,
is misread in different places from frame to frame: the boxes of all frames at one place are aligned character by character, and
each frame votes with the weight of its confidence. Disagreement lowers the score of the text, so the matcher sees the doubt.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median_low

from rapidfuzz.distance import Levenshtein

from cell_vision.likelihoods import with_frame
from cell_vision.matching.alignment import normalize
from cell_vision.ocr import box_geometry
from cell_vision.ocr.box_geometry import center, enclose, height, length, offset
from cell_vision.types import MISSING, UNREAD, Barcode, FrameReading, Polygon, Reading

SAME_PLACE = 0.5
"""Two boxes are at the same place if their centers are closer than this across the line, in heights of the lower one."""
CONTRADICTION_GAP = 0.15
"""A different text counts against the best one if its score is lower by at most this."""
SAME_LENGTH = 0.8
"""Boxes of the same print have lengths of at least this ratio."""
GAP_SEEN = 0.34
"""A gap counts if at least this share of the readings with the same characters shows it."""
CERTAIN_ALONE = 0.9
"""Least score of a different text that only one pass read."""
CERTAIN = 0.93
"""A number with at least this confidence needs no second frame."""
LEAST_LENGTH, LEAST_DIGITS = 5, 2
"""Least letters and digits, and digits among them, of a possible part number."""
TALL_SHARE = 0.75
"""Least height of print that may be the part number, as a share of the tallest number."""
MOST_WEIGHT = 6.0
LEAST_WEIGHT = 0.1
SAME_PRINT_SIMILARITY = 0.6
"""Nearby texts with at least this similarity are the same print."""
MOST_MOVEMENT = 3.0
"""Largest movement of print between two frames, in its heights."""
BLANK_GAP = 0.6
"""Pieces of a text with a wider gap are separated by a blank, in heights."""


@dataclass(frozen=True)
class _Vote:
    """One text that a frame read at a place."""

    text: str
    weight: float
    score: float


def merge_passes(passes: Sequence[Sequence[Reading]], *, keep_contradictions: bool) -> list[Reading]:
    """Return the best reading of each place, in reading order.

    Args:
        passes: Readings of the same frame.
        keep_contradictions: Also keep different texts of a place that are nearly as certain, each with the median score of
            its readings. The matcher then sees that the passes disagree.
    """
    places: list[list[Reading]] = []
    for reading in sorted((reading for readings in passes for reading in readings), key=_rank):
        # Compared with the most certain reading of a place, which is its first: chains of overlaps
        # would join neighboring lines.
        place = next((place for place in places if overlaps(place[0], reading)), None)
        if place is None:
            places.append([reading])
        else:
            place.append(reading)
    marked = [_with_all_likelihoods(_with_common_gaps(place)) for place in places]
    kept = [reading for place in marked for reading in (_texts(place) if keep_contradictions else place[:1])]
    return sorted(kept, key=lambda reading: reading.polygon[0][::-1])


def _rank(reading: Reading) -> tuple[float, str, Polygon]:
    """Return the sort key of readings, the most certain first; it does not depend on the order of the passes."""
    return -reading.score, reading.text, reading.polygon


def _with_common_gaps(place: Sequence[Reading]) -> list[Reading]:
    """Give readings with the same characters the same gaps: one that many of them saw is in all, one of a few in none.

    Whether a gap is seen depends on the scale of the pass; the number itself must not change with
    the pass that won.
    """
    same: dict[str, list[Reading]] = {}
    for reading in place:
        same.setdefault(_characters(reading), []).append(reading)
    texts: dict[str, str] = {}
    for characters, readings in same.items():
        seen = [reading for reading in readings if MISSING in reading.text]
        chosen = seen if len(seen) >= GAP_SEEN * len(readings) and seen else [r for r in readings if r not in seen]
        texts[characters] = max((reading.text for reading in chosen), key=lambda text: (text.count(MISSING), text))
    common = [(reading, texts[_characters(reading)]) for reading in place]
    return [
        replace(reading, text=text) if (MISSING in reading.text) != (MISSING in text) else reading for reading, text in common
    ]


def _with_all_likelihoods(place: Sequence[Reading]) -> list[Reading]:
    """Give the readings of a place all strips of the same length: with that of a longer box characters would count twice."""

    def strips(reading: Reading) -> Iterator[bytes]:
        for other in place:
            short, long = sorted((length(reading.polygon), length(other.polygon)))
            if short >= SAME_LENGTH * long:
                yield from other.likelihoods

    return [replace(reading, likelihoods=tuple(dict.fromkeys(strips(reading)))) for reading in place]


def _characters(reading: Reading) -> str:
    return normalize(reading.text).replace(MISSING, '').replace(' ', '')


def _texts(place: Sequence[Reading]) -> list[Reading]:
    """Return one reading for each relevant text at a place, with the median score of its readings.

    Some passes are sure of a digit that others doubt, so most must be sure. A text that contains the best one and continues it
    comes from a pass that saw more of the print, and need not be certain.
    """
    by_text: dict[str, list[Reading]] = {}
    for reading in place:
        by_text.setdefault(normalize(reading.text), []).append(reading)
    best = normalize(place[0].text)
    counted = [
        same
        for text, same in by_text.items()
        if text == best
        or (
            place[0].score - same[0].score <= CONTRADICTION_GAP
            and (len(same) > 1 or same[0].score >= CERTAIN_ALONE or best in text)
        )
    ]
    return [replace(same[0], score=median_low(reading.score for reading in same)) for same in counted]


def is_certain(readings: Sequence[Reading], certain: float = CERTAIN) -> bool:
    """Return whether no other frame is needed: all texts that may be part numbers were read with confidence, at least one.

    Small print next to larger print (ratings, dates) is ignored: the number of a part is not its
    smallest text. With an unreadable part in view, or print that may be lost, no reading is
    certain, and the next frame is read as a whole again.

    Args:
        readings: Of one frame, or fused.
        certain: Least confidence, 0..1.
    """
    if any(reading.text == UNREAD or MISSING in reading.text for reading in readings):
        return False
    numbers = [
        reading
        for reading in readings
        if sum(map(str.isalnum, reading.text)) >= LEAST_LENGTH and sum(map(str.isdigit, reading.text)) >= LEAST_DIGITS
    ]
    tallest = max((height(reading.polygon) for reading in numbers), default=0.0)
    large = [reading for reading in numbers if height(reading.polygon) >= TALL_SHARE * tallest]
    return bool(large) and all(reading.score >= certain for reading in large)


def fuse_frames(frames: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Return one reading of each place, in reading order.

    The result depends on the order of frames only through the polygons: votes are weighed, not
    counted in turn.

    Args:
        frames: Readings of each frame, oldest first; the part may move a little between them.

    Returns:
        The voted texts, each with its polygon in the newest frame that contains it. A score is the
        best score of a reading with the voted text, multiplied by the trust in the vote on its most
        disputed character.
    """
    if len(frames) == 1:
        return list(frames[0])
    voted = [_fuse_place(place) for place in _places(frames)]
    kept = [reading for reading in voted if reading.text]
    return sorted(kept, key=lambda reading: reading.polygon[0][::-1])


@dataclass
class MultiFrameReading:
    """Collects the readings of frames until they are certain.

    Attributes:
        wanted: Largest number of frames.
        readings: One for each frame, oldest first.
    """

    wanted: int
    readings: list[FrameReading] = field(default_factory=list)

    @property
    def needs_more(self) -> bool:
        """Whether another frame may improve the reading."""
        return not self.readings or (len(self.readings) < self.wanted and not is_certain(self.fuse().readings))

    @property
    def reference_index(self) -> int:
        """Index of the frame whose coordinates the fused reading has: the newest with text, or the newest."""
        with_text = [number for number, reading in enumerate(self.readings) if reading.readings]
        return with_text[-1] if with_text else len(self.readings) - 1

    def fuse(self) -> FrameReading:
        """Return the fused reading of all frames, of which there is at least one."""
        newest = self.readings[self.reference_index]
        if len(self.readings) == 1:
            return newest
        codes: dict[tuple[str, str], Barcode] = {}
        for reading in self.readings:
            codes |= {(code.format, code.text): code for code in reading.codes}
        fused = fuse_frames([reading.readings for reading in self.readings[: self.reference_index + 1]])
        return replace(
            newest,
            readings=tuple(fused),
            codes=tuple(codes.values()),
            seconds=sum(reading.seconds for reading in self.readings),
        )


def _places(frames: Sequence[Sequence[Reading]]) -> list[list[list[Reading]]]:
    """Return for each place the readings of each frame."""
    everything = [(number, reading) for number, frame in enumerate(frames) for reading in frame]
    # Long boxes first: pieces of a split line join the place of the whole line.
    everything.sort(key=lambda item: -length(item[1].polygon))
    shifts = _shifts(frames)
    places: list[tuple[int, Reading, list[list[Reading]]]] = []
    for number, reading in everything:
        here = _moved(reading, shifts[number])
        place = next((place for place in places if _same(_moved(place[1], shifts[place[0]]), here)), None)
        if place is None:
            place = (number, reading, [[] for _ in frames])
            places.append(place)
        place[2][number].append(reading)
    return [place[2] for place in places]


def _shifts(frames: Sequence[Sequence[Reading]]) -> list[tuple[float, float]]:
    """Return the movement of each frame's print to the newest frame, pixels: the median over equal texts."""
    newest = frames[-1]
    result = []
    for frame in frames:
        moves = [
            _movement(reading, other)
            for reading in frame
            for other in newest
            if reading.text == other.text and _distance(reading, other) <= MOST_MOVEMENT * height(reading.polygon)
        ]
        # The median move: a text that stands twice on a label gives some wrong moves.
        middle = sorted(moves, key=lambda move: math.hypot(*move))[len(moves) // 2] if moves else (0.0, 0.0)
        result.append(middle)
    return result


def _same(one: Reading, other: Reading) -> bool:
    if overlaps(one, other):
        return True
    near = _distance(one, other) <= MOST_MOVEMENT * min(height(one.polygon), height(other.polygon))
    return near and Levenshtein.normalized_similarity(one.text, other.text) >= SAME_PRINT_SIMILARITY


def _fuse_place(place: Sequence[Sequence[Reading]]) -> Reading:
    """Return the voted reading of one place."""
    present = [readings for readings in place if readings]
    votes = [vote for readings in present for vote in _votes_of_frame(readings)]
    # All votes are aligned with the heaviest one; of equal ones the longest, since characters are
    # lost more often than invented.
    backbone = max(votes, key=lambda item: (item.weight, len(item.text)))
    text, trust = _tally(backbone.text, votes)
    agreeing = [item.score for item in votes if item.text == text]
    base = max(agreeing) if agreeing else sum(item.score for item in votes) / len(votes)
    # The matcher adds the evidence of frames, but takes the best of the strips of one frame.
    strips = dict.fromkeys(
        with_frame(strip, number)
        for number, readings in enumerate(place)
        for reading in readings
        for strip in reading.likelihoods
    )
    return Reading(text.strip(), base * trust, _enclosing(present[-1]), tuple(strips))


def _tally(backbone: str, votes: Sequence[_Vote]) -> tuple[str, float]:
    """Return the voted text on the alignment of a backbone, and the least trust in one of its characters, 0..1."""
    total = sum(item.weight for item in votes)
    columns: list[dict[str, float]] = [{} for _ in range(2 * len(backbone) + 1)]
    for item in votes:
        for place, read in _aligned(backbone, item.text):
            columns[place][read] = columns[place].get(read, 0.0) + item.weight
    winners = [_winner(column, total) for column in columns]
    return ''.join(read for read, _ in winners), min(trust for _, trust in winners)


def _winner(column: dict[str, float], total: float) -> tuple[str, float]:
    """Return the winner of a column, and the trust in it against the strongest other opinion.

    At a tie a character wins over none: characters are lost more often than invented.
    """
    opinions = dict(column)
    # Frames whose text ends before this column vote for "nothing here".
    silent = total - sum(column.values())
    if silent > 1e-9:
        opinions[''] = opinions.get('', 0.0) + silent
    ranked = sorted(opinions.items(), key=lambda item: (round(item[1], 6), len(item[0])), reverse=True)
    read, weight = ranked[0]
    if len(ranked) == 1:
        return read, 1.0
    return read, max(weight / total, 1 / (1 + math.exp(ranked[1][1] - weight)))


def _aligned(backbone: str, text: str) -> list[tuple[int, str]]:
    """Return (place, text) pairs for a text; odd places are characters of the backbone, even ones the gaps before them."""
    result: list[tuple[int, str]] = []
    for step in Levenshtein.opcodes(backbone, text):
        i, j = step.src_start, step.dest_start
        if step.tag in {'equal', 'replace'}:
            result += [(2 * (i + n) + 1, text[j + n]) for n in range(step.src_end - i)]
        elif step.tag == 'delete':
            result += [(2 * n + 1, '') for n in range(i, step.src_end)]
        else:
            result.append((2 * i, text[j : step.dest_end]))
    return result


def _votes_of_frame(readings: Sequence[Reading]) -> list[_Vote]:
    """Return the votes of one frame at a place: its best text, joined from all its pieces, and each different text."""
    ranked = sorted(readings, key=lambda reading: -reading.score)
    pieces = ranked[:1]
    others = []
    for reading in ranked[1:]:
        overlapping = [piece for piece in pieces if overlaps(piece, reading)]
        if not overlapping:
            pieces.append(reading)
        elif len(reading.text) >= SAME_PRINT_SIMILARITY * len(overlapping[0].text) and reading.text != overlapping[0].text:
            others.append(reading)
    score = min(piece.score for piece in pieces)
    return [
        _Vote(_joined(pieces), _weight(score), score),
        *(_Vote(other.text, _weight(other.score), other.score) for other in others),
    ]


def _joined(pieces: Sequence[Reading]) -> str:
    """Join the pieces of one line to one text."""
    best = pieces[0]
    ordered = sorted(pieces, key=lambda piece: _along(best, piece))
    text = ordered[0].text
    for left, right in pairwise(ordered):
        gap = _along(best, right) - _along(best, left) - (length(left.polygon) + length(right.polygon)) / 2
        text += (' ' if gap > BLANK_GAP * height(right.polygon) else '') + right.text
    return text


def _weight(score: float) -> float:
    """Return approximately the log odds of a confidence."""
    # Decision 0009: limited, so that a few frames of one error cannot outvote all others.
    return min(MOST_WEIGHT, max(LEAST_WEIGHT, -math.log(max(1e-9, 1 - score))))


def _enclosing(readings: Sequence[Reading]) -> Polygon:
    longest = max(readings, key=lambda reading: length(reading.polygon))
    return enclose([reading.polygon for reading in sorted(readings, key=lambda reading: _along(longest, reading))])


def _moved(reading: Reading, by: tuple[float, float]) -> Reading:
    a, b, c, d = ((x + by[0], y + by[1]) for x, y in reading.polygon)
    return replace(reading, polygon=(a, b, c, d))


def _movement(one: Reading, other: Reading) -> tuple[float, float]:
    (x, y), (to_x, to_y) = center(one.polygon), center(other.polygon)
    return to_x - x, to_y - y


def _distance(one: Reading, other: Reading) -> float:
    return math.hypot(*_movement(one, other))


def _along(line: Reading, reading: Reading) -> float:
    """Return how far the center of a reading lies along the line of another, pixels."""
    return offset(line.polygon, center(reading.polygon))[0]


def overlaps(one: Reading, other: Reading) -> bool:
    """Return whether two readings are of the same print.

    Args:
        one: A reading.
        other: A reading of the same frame, of this or another pass; the texts do not matter.
    """
    return box_geometry.overlaps(one.polygon, other.polygon, SAME_PLACE)
