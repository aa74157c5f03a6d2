"""Says in sentences why a piece was rejected, or on which evidence it was placed.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ['explain']


class Piece(Protocol):
    """The booked piece; a `PieceItem`."""

    @property
    def job_id(self) -> str: ...
    @property
    def piece(self) -> int: ...
    @property
    def part_number(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def recognized(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def booked_ns(self) -> int: ...


def explain(piece: Piece, readings: int, clock: Callable[[int], str]) -> list[str]:
    """Return the sentences, the most important one first.

    Args:
        piece: The piece.
        readings: How often it was read.
        clock: Returns a time of day for UTC nanoseconds.
    """
    done = 'rejected' if piece.outcome == 'REJECTED' else 'placed'
    sentences = [f'Piece {piece.piece} of job {piece.job_id} was {done} at {clock(piece.booked_ns)}: {_cause(piece)}.']
    if piece.verdict:
        read = f'"{piece.text}"' if piece.text.strip() else 'no text'
        times = 'once' if readings == 1 else f'{readings} times'
        sentences.append(f'It was read {times}; the last reading was {read}. Part {piece.part_number} was ordered.')
    return sentences


def _cause(piece: Piece) -> str:
    match piece.verdict:
        case 'MATCH':
            said = f'it was recognized as {piece.recognized}'
        case 'MISMATCH':
            said = f'it was recognized as {piece.recognized or "another part"}, not as {piece.part_number}'
        case 'AMBIGUOUS':
            said = 'the reading fits several parts'
        case 'UNREADABLE':
            said = 'its number could not be read'
        case 'UNKNOWN':
            said = 'the number is of no part in the catalogue'
        case _:
            said = 'it was not read'
    reason = piece.reason.strip().rstrip('.')
    return f'{said} ({reason})' if reason else said
