"""Many indicators at once, and who fills bags on them, on one asyncio loop."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cell_sim.scales.client import ScaleClient
from cell_sim.scales.filler import Filler
from cell_sim.scales.filling_station import FillingStation
from cell_sim.scales.indicator import Indicator

ALL_SCALES = 'scale:*'
"""The device that stands for every scale when a fault is given."""


@dataclass(frozen=True)
class ScaleSettings:
    """The scales of a world, and who fills bags on them."""

    host: str = '127.0.0.1'
    port: int = 10001
    """Of the scale bridge."""
    scale_ids: Sequence[str] = ('1', '2')
    stations: Sequence[str] = ('A', 'B')
    """Station of each scale; a scale beyond the end of the list serves none."""
    print_format: str = 'legacy'
    """legacy, extended, sma, or a template with tokens in braces."""
    stream_rate: float = 0.0
    """Lines per second; 0 = one line for each bag."""
    division: Decimal = Decimal('0.005')
    """Kilograms."""
    bag_period: float = 4.0
    """Seconds from bag to bag."""
    out_share: float = 0.05
    decimal_comma: bool = False
    source: str = ''
    """Address that the first indicator dials from; each that follows takes the next one. "" = whichever.
    SMA replies name no scale: the address does."""


class Fleet:
    """The scales and their fillers."""

    def __init__(self, settings: ScaleSettings, seed: int, observer: Callable[..., None]) -> None:
        """Make scales that are switched off and fillers that do not work yet.

        Args:
            settings: How they are.
            seed: Of all that is left to rng.
            observer: Told of every bag.

        Raises:
            ValueError: The print format or the address cannot be used.
        """
        self.scales: dict[str, ScaleClient] = {}
        self.stations: list[FillingStation] = []
        for number, scale_id in enumerate(settings.scale_ids):
            indicator = Indicator(
                scale_id, print_format=settings.print_format, division=settings.division, decimal_comma=settings.decimal_comma
            )
            source = str(ipaddress.ip_address(settings.source) + number) if settings.source else ''
            scale = ScaleClient(indicator, settings.host, settings.port, stream_rate=settings.stream_rate, source=source)
            self.scales[scale_id] = scale
            if number < len(settings.stations):
                station = settings.stations[number]
                filler = Filler(seed, f'{station}/{scale_id}', settings.out_share)
                self.stations.append(FillingStation(station, scale, filler, settings.bag_period, observer))


def inject_all(scales: Iterable[ScaleClient], fault: str, value: float) -> str:
    """Let every one of some scales misbehave and return what will happen.

    Raises:
        UnknownFaultError: There is no such fault.
    """
    told = [scale.inject(fault, value) for scale in scales]
    return f'{told[0]}, {len(told)} scale{"s" if len(told) > 1 else ""}'
