"""Maps scales to stations, with spare scales that replace others for a time.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cell_common.time import NS_PER_S


class AliasError(ValueError):
    """An alias cannot be used; the text names it and the allowed form."""


@dataclass(frozen=True)
class ScaleAlias:
    """A spare scale that replaces another one for a time.

    Attributes:
        scale_id: The spare scale.
        stands_for: The replaced scale.
        from_ns: First moment, UTC nanoseconds since 1970.
        until_ns: First moment after it, UTC nanoseconds since 1970.
    """

    scale_id: str
    stands_for: str
    from_ns: int
    until_ns: int


def parse_aliases(entries: Iterable[str]) -> list[ScaleAlias]:
    """Parse aliases such as "9=3 2026-11-01T06:00Z/2026-11-02T18:00Z".

    Args:
        entries: Spare scale, replaced scale, and an ISO 8601 interval each; a time without a zone is UTC.

    Raises:
        AliasError: An alias is wrong, or two aliases of one scale overlap.
    """
    aliases: list[ScaleAlias] = []
    for entry in entries:
        alias = _parse(entry)
        # Intervals are half-open, so one alias may begin when another ends.
        if any(a.scale_id == alias.scale_id and a.from_ns < alias.until_ns and alias.from_ns < a.until_ns for a in aliases):
            raise AliasError(f'"{entry}": scale {alias.scale_id} stands in for two at a time')
        aliases.append(alias)
    return aliases


@dataclass(frozen=True)
class StationMap:
    """The station of each scale.

    Lookups take the time of weighing, not the time of processing: a reading that waited in the
    journal belongs to the scale that was replaced then.

    Attributes:
        by_scale: Station by scale id.
        aliases: Spare scales; at most one replacement per scale and moment.
        default: Station of every other scale; "" = none.
    """

    by_scale: Mapping[str, str]
    aliases: list[ScaleAlias] = field(default_factory=list)
    default: str = ''

    @property
    def names(self) -> list[str]:
        """All stations, sorted."""
        return sorted({*self.by_scale.values(), *([self.default] if self.default else [])})

    def station_of(self, scale_id: str, moment_ns: int) -> str:
        """Return the station of a scale at a moment; "" = none.

        Args:
            scale_id: Scale, also a spare one.
            moment_ns: Time of weighing, UTC nanoseconds since 1970.
        """
        return self.by_scale.get(resolve_alias(self.aliases, scale_id, moment_ns), self.default)

    def stands_for(self, scale_id: str, moment_ns: int) -> str:
        """Return the scale that a spare scale replaces at a moment; "" = none."""
        resolved = resolve_alias(self.aliases, scale_id, moment_ns)
        return '' if resolved == scale_id else resolved


def resolve_alias(aliases: Iterable[ScaleAlias], scale_id: str, moment_ns: int) -> str:
    """Return the scale that a scale replaces at a moment; the scale itself when it replaces none."""
    return next((a.stands_for for a in aliases if a.scale_id == scale_id and a.from_ns <= moment_ns < a.until_ns), scale_id)


def _parse(entry: str) -> ScaleAlias:
    pair, _, interval = entry.strip().partition(' ')
    scale_id, _, stands_for = pair.partition('=')
    start, _, end = interval.strip().partition('/')
    try:
        from_ns, until_ns = _utc_ns(start), _utc_ns(end)
    except ValueError:
        from_ns = until_ns = 0
    if not scale_id or not stands_for or scale_id == stands_for or from_ns >= until_ns:
        raise AliasError(
            f'"{entry}" must be like "9=3 2026-11-01T06:00Z/2026-11-02T18:00Z": spare scale, scale it stands in '
            'for, from, until'
        )
    return ScaleAlias(scale_id, stands_for, from_ns, until_ns)


def _utc_ns(text: str) -> int:
    moment = datetime.fromisoformat(text.replace('Z', '+00:00'))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * NS_PER_S
