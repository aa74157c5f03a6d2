"""Put the readings of several frames of one part together: each character is voted on.

Frames of a part that moves a little, or of a noisy sensor, are misread in different places. The boxes of all frames that
stand at one place are aligned character by character, and each frame votes with the weight of its confidence. What the
frames do not agree on lowers the score of the text, so that whoever judges it sees the doubt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rapidfuzz.distance import Levenshtein

from cell_vision.ocr.merging import same_place
from cell_vision.types import UNREAD, Polygon, Reading

CERTAIN = 0.93
"""A number read with this confidence needs no second frame."""
LEAST_LENGTH, LEAST_DIGITS = 5, 2
"""Letters and digits, and digits among them, of what may be a part number."""
LARGE = 0.75
"""Print of at least this share of the tallest number's height may be the part number."""
MOST_WEIGHT = 6.0
LEAST_WEIGHT = 0.1
LIKENESS = 0.6
"""Texts so much alike are taken for the same print when they lie near each other."""
MOVES = 3.0
"""The print moves at most so far between two frames, in its heights."""
BLANK_GAP = 0.6
"""Two pieces of a text with a wider gap stand apart, in heights."""


@dataclass(frozen=True)
class _Vote:
    """What one frame makes of a place."""

    text: str
    weight: float
    score: float


def is_certain(readings: Sequence[Reading], certain: float = CERTAIN) -> bool:
    """Say whether no other frame is needed: there is text that may be a part number, and all such was read with confidence.

    Small print beside larger (ratings, dates) does not count: the number of a part is not the smallest text on it. With a part
    in view that could not be read nothing is certain, and the next frame is looked at as a whole again.
    """
    if any(reading.text == UNREAD for reading in readings):
        return False
    numbers = [
        reading
        for reading in readings
        if sum(map(str.isalnum, reading.text)) >= LEAST_LENGTH and sum(map(str.isdigit, reading.text)) >= LEAST_DIGITS
    ]
    tallest = max(map(_height, numbers), default=0.0)
    large = [reading for reading in numbers if _height(reading) >= LARGE * tallest]
    return bool(large) and all(reading.score >= certain for reading in large)


def vote(frames: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Return one reading of each place, in reading order.

    Args:
        frames: The readings of each frame, oldest first; the part may have moved a little between them.

    Returns:
        The voted texts, each with its place in the newest frame that holds it. A score is that of the best reading that says
        the voted text, times the trust that the vote on its most disputed character deserves.
    """
    if len(frames) == 1:
        return list(frames[0])
    voted = [_elect(place) for place in _places(frames)]
    kept = [reading for reading in voted if reading.text]
    return sorted(kept, key=lambda reading: reading.polygon[0][::-1])


def _places(frames: Sequence[Sequence[Reading]]) -> list[list[list[Reading]]]:
    """Return for each place the readings of each frame that stand there."""
    everything = [(number, reading) for number, frame in enumerate(frames) for reading in frame]
    everything.sort(key=lambda item: -_length(item[1]))
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
    """Return how far the print of each frame has moved against the newest, pixels: the median over texts that are alike."""
    newest = frames[-1]
    result = []
    for frame in frames:
        moves = [
            _offset(reading, other)
            for reading in frame
            for other in newest
            if reading.text == other.text and _distance(reading, other) <= MOVES * _height(reading)
        ]
        middle = sorted(moves, key=lambda move: math.hypot(*move))[len(moves) // 2] if moves else (0.0, 0.0)
        result.append(middle)
    return result


def _same(one: Reading, other: Reading) -> bool:
    if same_place(one, other):
        return True
    near = _distance(one, other) <= MOVES * min(_height(one), _height(other))
    return near and Levenshtein.normalized_similarity(one.text, other.text) >= LIKENESS


def _elect(place: Sequence[Sequence[Reading]]) -> Reading:
    """Return the voted reading of one place."""
    told = [readings for readings in place if readings]
    votes = [ballot for readings in told for ballot in _ballots(readings)]
    backbone = max(votes, key=lambda item: (item.weight, len(item.text)))
    text, trust = _count(backbone.text, votes)
    agreeing = [item.score for item in votes if item.text == text]
    base = max(agreeing) if agreeing else sum(item.score for item in votes) / len(votes)
    return Reading(text.strip(), base * trust, _around(told[-1]))


def _count(backbone: str, votes: Sequence[_Vote]) -> tuple[str, float]:
    """Return the text that the votes make of a backbone, and the least trust that one of its characters deserves, 0..1."""
    total = sum(item.weight for item in votes)
    columns: list[dict[str, float]] = [{} for _ in range(2 * len(backbone) + 1)]
    for item in votes:
        for place, read in _aligned(backbone, item.text):
            columns[place][read] = columns[place].get(read, 0.0) + item.weight
    winners = [_winner(column, total) for column in columns]
    return ''.join(read for read, _ in winners), min(trust for _, trust in winners)


def _winner(column: dict[str, float], total: float) -> tuple[str, float]:
    """Return what the votes say of a column, and how far that may be trusted against the strongest other opinion.

    At a tie something wins over nothing: characters are lost more often than made up.
    """
    opinions = dict(column)
    silent = total - sum(column.values())
    if silent > 1e-9:
        opinions[''] = opinions.get('', 0.0) + silent
    ranked = sorted(opinions.items(), key=lambda item: (round(item[1], 6), len(item[0])), reverse=True)
    read, weight = ranked[0]
    if len(ranked) == 1:
        return read, 1.0
    return read, max(weight / total, 1 / (1 + math.exp(ranked[1][1] - weight)))


def _aligned(backbone: str, text: str) -> list[tuple[int, str]]:
    """Return (place, what was read) for a text; odd places are characters of the backbone, even ones the gaps before them."""
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


def _ballots(readings: Sequence[Reading]) -> list[_Vote]:
    """Return what one frame makes of a place: its best text, of all the pieces it was cut into, and each text that differs."""
    ranked = sorted(readings, key=lambda reading: -reading.score)
    pieces = ranked[:1]
    others = []
    for reading in ranked[1:]:
        overlapping = [piece for piece in pieces if same_place(piece, reading)]
        if not overlapping:
            pieces.append(reading)
        elif len(reading.text) >= LIKENESS * len(overlapping[0].text) and reading.text != overlapping[0].text:
            others.append(reading)
    score = min(piece.score for piece in pieces)
    return [
        _Vote(_joined(pieces), _weight(score), score),
        *(_Vote(other.text, _weight(other.score), other.score) for other in others),
    ]


def _joined(pieces: Sequence[Reading]) -> str:
    """Return the pieces of one line as one text."""
    best = pieces[0]
    ordered = sorted(pieces, key=lambda piece: _along(best, piece))
    text = ordered[0].text
    for left, right in pairwise(ordered):
        gap = _along(best, right) - _along(best, left) - (_length(left) + _length(right)) / 2
        text += (' ' if gap > BLANK_GAP * _height(right) else '') + right.text
    return text


def _weight(score: float) -> float:
    """Return the log of the odds that a confidence stands for, roughly."""
    return min(MOST_WEIGHT, max(LEAST_WEIGHT, -math.log(max(1e-9, 1 - score))))


def _around(readings: Sequence[Reading]) -> Polygon:
    if len(readings) == 1:
        return readings[0].polygon
    longest = max(readings, key=_length)
    ordered = sorted(readings, key=lambda reading: _along(longest, reading))
    first, last = ordered[0].polygon, ordered[-1].polygon
    return first[0], last[1], last[2], first[3]


def _moved(reading: Reading, by: tuple[float, float]) -> Reading:
    a, b, c, d = ((x + by[0], y + by[1]) for x, y in reading.polygon)
    return replace(reading, polygon=(a, b, c, d))


def _middle(reading: Reading) -> tuple[float, float]:
    return sum(x for x, _ in reading.polygon) / 4, sum(y for _, y in reading.polygon) / 4


def _offset(one: Reading, other: Reading) -> tuple[float, float]:
    (x, y), (to_x, to_y) = _middle(one), _middle(other)
    return to_x - x, to_y - y


def _distance(one: Reading, other: Reading) -> float:
    return math.hypot(*_offset(one, other))


def _along(line: Reading, reading: Reading) -> float:
    """Return how far a reading's middle lies along the line of another, pixels."""
    (ax, ay), (bx, by) = line.polygon[:2]
    length = max(1e-6, math.dist((ax, ay), (bx, by)))
    x, y = _middle(reading)
    return ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length


def _length(reading: Reading) -> float:
    return math.dist(reading.polygon[0], reading.polygon[1])


def _height(reading: Reading) -> float:
    return max(1.0, math.dist(reading.polygon[0], reading.polygon[3]))
