"""What goes over the letters link, in both framings.

`line`: `<letter> <id> [tray]` out; `ACK <id>`, `DONE <id>`, `ERR <id> <reason>` and `HB` back, each line ended by LF.
`bare`: one letter out without a line end; `ack`, `done`, `err <reason>` and `hb` back, in small or capital letters.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from cell_robot.backends.letters.framing import Framing, LineFraming, WordFraming

BARE_WORDS = frozenset({b'ack', b'done', b'hb'})


class Kind(enum.Enum):
    """What a program says."""

    ACK = 'ACK'
    DONE = 'DONE'
    ERR = 'ERR'
    HEARTBEAT = 'HB'


@dataclass(frozen=True)
class Reply:
    """One line of the UR program."""

    kind: Kind
    trigger_id: str = ''
    """"" in the bare framing and in a heartbeat."""
    reason: str = ''
    """Valid for ERR."""


class Dialect(Protocol):
    """One of the two ways to speak over the link."""

    @property
    def numbered(self) -> bool:
        """Whether replies carry the id of the trigger they answer, and heartbeats are part of the protocol."""

    def framing(self) -> Framing:
        """Return a fresh framing for a new connection."""

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:
        """Return the bytes of a trigger; `tray` 0 = none."""

    def decode(self, frame: bytes) -> Reply | None:
        """Return what a frame says, None when it says nothing known."""


class LineDialect:
    """Numbered lines: every trigger has a correlation id."""

    numbered = True

    def framing(self) -> Framing:
        """Return a fresh framing for a new connection."""
        return LineFraming()

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:
        """Return the line of a trigger; the tray is left out when 0."""
        return f'{letter} {trigger_id}{f" {tray}" if tray else ""}\n'.encode('ascii')

    def decode(self, frame: bytes) -> Reply | None:
        """Return what a line says, None when it says nothing known."""
        words = _text(frame).split(' ', 2)
        if words == ['HB']:
            return Reply(Kind.HEARTBEAT)
        if len(words) == 2 and words[0] in ('ACK', 'DONE') and words[1]:
            return Reply(Kind(words[0]), words[1])
        if len(words) >= 2 and words[0] == 'ERR' and words[1]:
            return Reply(Kind.ERR, words[1], words[2].strip() if len(words) == 3 else '')
        return None


class BareDialect:
    """One letter out, a word back: what programs that exist already speak. It has no ids and cannot name a tray."""

    numbered = False

    def framing(self) -> Framing:
        """Return a fresh framing for a new connection."""
        return WordFraming(BARE_WORDS)

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:  # noqa: ARG002 - the framing has no place for them
        """Return the letter alone."""
        return letter.encode('ascii')

    def decode(self, frame: bytes) -> Reply | None:
        """Return what a word says, None when it says nothing known."""
        word, _, reason = _text(frame).partition(' ')
        kinds = {'ack': Kind.ACK, 'done': Kind.DONE, 'err': Kind.ERR, 'hb': Kind.HEARTBEAT}
        kind = kinds.get(word.lower())
        return Reply(kind, reason=reason.strip()) if kind else None


DIALECTS: dict[str, Dialect] = {'line': LineDialect(), 'bare': BareDialect()}


def _text(frame: bytes) -> str:
    """Return printable ASCII, with '?' for everything else: reasons end up on screens and in logs."""
    return ''.join(chr(byte) if 32 <= byte < 127 else '?' for byte in frame).strip()
