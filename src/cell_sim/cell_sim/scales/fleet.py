"""Many indicators with their bag fillers, on one asyncio loop."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cell_sim.scales.client import ScaleClient
from cell_sim.scales.filler import Filler
from cell_sim.scales.filling_station import FillingStation
from cell_sim.scales.indicator import Indicator

__all__ = ['ALL_SCALES', 'Fleet', 'ScaleSettings', 'inject_all']

ALL_SCALES = 'scale:*'
"""Device name that stands for every scale in fault injection."""


@dataclass(frozen=True)
class ScaleSettings:
    """Settings of the indicators and bag fillers.

    Attributes:
        host: Host of the scale bridge.
        port: TCP port of the scale bridge.
        scale_ids: Id of each indicator, as in its print format.
        stations: Station of each scale; scales beyond the end of the list have no filler.
        print_format: legacy, extended, sma, or a template with tokens in braces.
        stream_rate: Lines per second; 0 = one line for each bag.
        division: Smallest step of the display, kilograms.
        bag_period: Seconds from bag to bag.
        out_share: Share of outliers, 0..1.
        decimal_comma: Print a comma as the decimal separator.
        source: Local address of the first indicator; each further one uses the next. "" = the
            system chooses. SMA replies carry no scale id: the address identifies the scale.
    """

    host: str = '127.0.0.1'
    port: int = 10001
    scale_ids: Sequence[str] = ('1', '2')
    stations: Sequence[str] = ('A', 'B')
    print_format: str = 'legacy'
    stream_rate: float = 0.0
    division: Decimal = Decimal('0.005')
    bag_period: float = 4.0
    out_share: float = 0.05
    decimal_comma: bool = False
    source: str = ''


class Fleet:
    """Scales and fillers of a world.

    Attributes:
        scales: Scale id -> client, in the order of the settings.
        stations: Bag fillers, in the order of the settings.
    """

    def __init__(self, settings: ScaleSettings, seed: int, observer: Callable[..., None]) -> None:
        """Create stopped scales and idle fillers.

        Args:
            settings: Settings of all scales.
            seed: Seed of all random choices.
            observer: Receives each bag.

        Raises:
            ValueError: The print format or the source address is invalid.
        """
        self.scales: dict[str, ScaleClient] = {}
        self.stations: list[FillingStation] = []
        for number, scale_id in enumerate(settings.scale_ids):
            indicator = Indicator(
                scale_id, print_format=settings.print_format, division=settings.division, decimal_comma=settings.decimal_comma
            )
            # The whole of 127.0.0.0/8 is local on Linux, so each indicator can have an address of
            # its own.
            source = str(ipaddress.ip_address(settings.source) + number) if settings.source else ''
            scale = ScaleClient(indicator, settings.host, settings.port, stream_rate=settings.stream_rate, source=source)
            self.scales[scale_id] = scale
            if number < len(settings.stations):
                station = settings.stations[number]
                filler = Filler(seed, f'{station}/{scale_id}', settings.out_share)
                self.stations.append(FillingStation(station, scale, filler, settings.bag_period, observer))


def inject_all(scales: Iterable[ScaleClient], fault: str, value: float) -> str:
    """Inject a fault into several scales and return a description of its effect.

    Args:
        scales: At least one scale.
        fault: Key of `line_faults.FAULTS`.
        value: Count, seconds or bytes; 0 = the default.

    Raises:
        UnknownFaultError: No such fault exists; no scale has been changed.
    """
    texts = [scale.inject(fault, value) for scale in scales]
    return f'{texts[0]}, {len(texts)} scale{"s" if len(texts) > 1 else ""}'
