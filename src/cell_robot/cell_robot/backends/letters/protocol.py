"""Wire format of the letters protocol, in both framings.

Pure: no ROS, sockets, files or clock.

`line`: `<letter> <id> [tray]` out; `ACK <id>`, `DONE <id>`, `ERR <id> <reason>` and `HB` back, each line ended by LF. `bare`:
one letter out without a line end; `ack`, `done`, `err <reason>` and `hb` back, in lower or upper case.

URScript reads and writes these with socket_read_byte_list, socket_read_line and socket_send_line or socket_send_string
(URScript manual, socket functions). A program notices a lost connection only by a failed send, hence the heartbeat.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Protocol

MAX_LINE = 256
"""Bytes; the longest useful line is an ERR with its reason."""
BARE_WORDS = frozenset({b'ack', b'done', b'hb'})
ERROR = b'err'
"""Begins an error line of the bare framing."""
_LINE_END = re.compile(rb'[\r\n]+')


class Framing(Protocol):
    """Incremental splitter of a byte stream."""

    overlong: int
    """Number of lines dropped because they exceeded the maximum length."""

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes and return the complete frames, without line ends."""


class LetterLineFramer:
    """Lines that end with LF, CR or CR LF; empty lines are skipped.

    A line beyond the limit is dropped as a whole and counted. The limit bounds the memory that a peer can occupy.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        """Limit lines, and thus the buffer, to `max_line` bytes."""
        self.overlong = 0
        self._max = max_line
        self._rest = b''
        self._skipping = False

    @property
    def pending(self) -> int:
        """Number of buffered bytes of an incomplete line."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes and return the complete lines.

        Args:
            data: As received, cut anywhere, also inside CR LF.
        """
        # A CR at the end of one packet and its LF in the next give an empty line, which is skipped.
        *ended, self._rest = _LINE_END.split(self._rest + data)
        frames = [frame for line in ended if (frame := self._accept(line))]
        if len(self._rest) > self._max:
            self.overlong += not self._skipping
            self._skipping, self._rest = True, b''
        return frames

    def _accept(self, line: bytes) -> bytes:
        """Return a line, or b'' when it is overlong or the tail of an overlong one."""
        if self._skipping:
            self._skipping = False
            return b''
        if len(line) > self._max:
            self.overlong += 1
            return b''
        return line


class WordFraming(LetterLineFramer):
    """Lines, and known words without a line end, also glued: many programs answer with socket_send_string("ack").

    A word counts as soon as its letters are there, since no line end may ever follow. The beginning of a word waits for its
    rest.
    """

    def __init__(self, words: frozenset[bytes], max_line: int = MAX_LINE) -> None:
        """Accept the lower-case `words` without a line end; limit lines to `max_line` bytes."""
        super().__init__(max_line)
        self._words = words

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes and return the complete lines and known words."""
        frames = [frame for line in super().feed(data) for frame in self._split_line(line)]
        if not self._skipping:
            words, rest = self._split(self._rest)
            # Otherwise the rest is a line of another kind: it is kept whole for its line end, also if it begins with a known
            # word.
            if not rest.strip() or any(word.startswith(rest.lower()) for word in (*self._words, ERROR)):
                frames, self._rest = [*frames, *words], rest.lstrip()
        return frames

    def _split_line(self, line: bytes) -> list[bytes]:
        """Return the words of a line that holds nothing else, except an error at its end; otherwise the line."""
        words, rest = self._split(line)
        if not rest.strip():
            return words
        return [*words, rest] if words and rest.lower().startswith(ERROR) else [line]

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the known words at the beginning, and the rest without blanks in front."""
        words: list[bytes] = []
        rest = data.lstrip(b' \t')
        while word := next((word for word in self._words if rest.lower().startswith(word)), b''):
            words, rest = [*words, rest[: len(word)]], rest[len(word) :].lstrip(b' \t')
        return words, rest


class ReplyKind(enum.Enum):
    """Kind of a program's reply."""

    ACK = 'ACK'
    DONE = 'DONE'
    ERR = 'ERR'
    HEARTBEAT = 'HB'


@dataclass(frozen=True)
class ProgramReply:
    """One reply of the UR program."""

    kind: ReplyKind
    trigger_id: str = ''
    """"" in the bare framing and in a heartbeat."""
    reason: str = ''
    """Valid for ERR."""


class LettersProtocol(Protocol):
    """Encoder and decoder of one framing; without state, so all connections share one."""

    @property
    def numbered(self) -> bool:
        """Whether replies carry the trigger id, and heartbeats are part of the protocol."""

    def framing(self) -> Framing:
        """Return a new framing for a connection."""

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:
        """Return the bytes of a trigger.

        Args:
            letter: One printable ASCII character; it stands for the event.
            trigger_id: Id that the program repeats in its answers, where the framing carries it.
            tray: 1..255; 0 = none.
        """

    def decode(self, frame: bytes) -> ProgramReply | None:
        """Return the reply in a frame, None when it is unknown."""


class LineProtocol:
    """Numbered lines: every trigger has a correlation id.

    An answer that is late cannot be taken for that of another trigger. Prefer this framing for new programs.
    """

    numbered = True

    def framing(self) -> Framing:
        """Return a new framing for a connection."""
        return LetterLineFramer()

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:
        """Return the line of a trigger; tray 0 is left out.

        Args:
            letter: One ASCII character.
            trigger_id: Without blanks; the program sends it back unchanged.
            tray: 1..255, or 0.
        """
        return f'{letter} {trigger_id}{f" {tray}" if tray else ""}\n'.encode('ascii')

    def decode(self, frame: bytes) -> ProgramReply | None:
        """Return the reply in a line, None when it is unknown."""
        words = _printable(frame).split(' ', 2)
        if words == ['HB']:
            return ProgramReply(ReplyKind.HEARTBEAT)
        if len(words) == 2 and words[0] in ('ACK', 'DONE') and words[1]:
            return ProgramReply(ReplyKind(words[0]), words[1])
        if len(words) >= 2 and words[0] == 'ERR' and words[1]:
            return ProgramReply(ReplyKind.ERR, words[1], words[2].strip() if len(words) == 3 else '')
        return None


class BareProtocol:
    """One letter out, one word back, for existing programs. It has no ids and cannot name a tray.

    Answers are attributed by their order alone. `TriggerMachine` therefore treats each unexpected word as a loss of that
    order.
    """

    numbered = False

    def framing(self) -> Framing:
        """Return a new framing for a connection."""
        return WordFraming(BARE_WORDS)

    def encode(self, letter: str, trigger_id: str, tray: int) -> bytes:  # noqa: ARG002 - the framing has no field for them
        """Return the letter alone."""
        # No line end: existing programs read one byte with socket_read_byte_list and would take LF for the next letter.
        return letter.encode('ascii')

    def decode(self, frame: bytes) -> ProgramReply | None:
        """Return the reply in a word, None when it is unknown."""
        word, _, reason = _printable(frame).partition(' ')
        kinds = {'ack': ReplyKind.ACK, 'done': ReplyKind.DONE, 'err': ReplyKind.ERR, 'hb': ReplyKind.HEARTBEAT}
        kind = kinds.get(word.lower())
        return ProgramReply(kind, reason=reason.strip()) if kind else None


PROTOCOLS: dict[str, LettersProtocol] = {'line': LineProtocol(), 'bare': BareProtocol()}
"""Parameter `framing` -> protocol."""


def _printable(frame: bytes) -> str:
    """Return printable ASCII with '?' for every other byte: reasons end up on screens and in logs."""
    return ''.join(chr(byte) if 32 <= byte < 127 else '?' for byte in frame).strip()
