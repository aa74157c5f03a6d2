"""Codecs: one small module for each protocol that indicators speak.

A codec turns one line (without its end) into a Weighing. To add one: write a module with a class that has `parse`, and name it
in `CODECS`. Nothing else in the bridge knows protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from cell_weighing.codecs.legacy import LegacyCodec
from cell_weighing.reading import Weighing


class Codec(Protocol):
    """Turns lines into weighings."""

    def parse(self, line: bytes) -> Weighing:
        """Understand one line; what does not follow the grammar comes back as MALFORMED, nothing raises."""
        ...


CODECS: Mapping[str, Callable[[], Codec]] = {
    'legacy': LegacyCodec,
}
"""Codecs by the name that parameter `codec` uses."""


def make_codec(name: str) -> Codec:
    """Return the codec of this name.

    Raises:
        ValueError: There is none.
    """
    if name not in CODECS:
        raise ValueError(f'there is no codec "{name}"; use one of {", ".join(CODECS)}')
    return CODECS[name]()
