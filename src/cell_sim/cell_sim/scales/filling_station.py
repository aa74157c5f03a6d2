"""Station where bags are filled: waits for an order, fills a bag, presses PRINT, removes the bag, and repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cell_sim.scales.client import ScaleClient
from cell_sim.scales.filler import Filler, FillOrder
from cell_sim.scales.indicator import KILOGRAMS

FILLING, PRINTED, CLEARED = 0.6, 0.7, 0.8
"""Shares of the bag period at which the bag is stable, is printed, and is removed."""


class FillingStation:
    """One filler with one scale.

    Attributes:
        station: Name of the station, as in weigh jobs.
    """

    def __init__(self, station: str, scale: ScaleClient, filler: Filler, period: float, observer: Callable[..., None]) -> None:
        """Create a station without an order.

        Args:
            station: Name of the station, as in weigh jobs.
            scale: Indicator under the bag.
            filler: Draws the weights.
            period: Seconds from bag to bag.
            observer: Receives each bag.
        """
        self.station = station
        self._scale, self._filler, self._period, self._observer = scale, filler, period, observer
        self._order: FillOrder | None = None
        self._has_order = asyncio.Event()

    def set_order(self, order: FillOrder | None) -> None:
        """Replace the order; None stops the filler after the current bag."""
        self._order = order
        if order is None:
            self._has_order.clear()
        else:
            self._has_order.set()

    async def run(self) -> None:
        """Fill bags until canceled.

        Waits while there is no order or no connection. A bag that is on the scale is finished
        before an order changes.
        """
        while True:
            await self._has_order.wait()
            await self._scale.connected.wait()
            if self._order is not None:
                await self._fill_bag(self._order)

    async def _fill_bag(self, order: FillOrder) -> None:
        """Fill, print and remove one bag."""
        indicator, now = self._scale.indicator, asyncio.get_running_loop().time
        indicator.select_unit(order.unit)
        weight = self._filler.next_weight(order)
        indicator.platform.fill(weight * float(KILOGRAMS[order.unit]), now(), FILLING * self._period)
        try:
            await asyncio.sleep(PRINTED * self._period)
            # The job may have ended while the bag was filled: its weight then belongs to no job,
            # and nobody presses PRINT.
            if self._order == order:
                await self._print(order, weight)
            await asyncio.sleep((CLEARED - PRINTED) * self._period)
        finally:
            # In `finally`: a canceled station must not leave its bag on the scale.
            indicator.platform.clear()
        await asyncio.sleep((1 - CLEARED) * self._period)

    async def _print(self, order: FillOrder, weight: float) -> None:
        line, sent = await self._scale.print() if self._scale.on_demand else (b'', True)
        self._observer(
            'bag',
            scale_id=self._scale.indicator.scale_id,
            station=self.station,
            job=order.job,
            weight=weight,
            unit=order.unit,
            line=line.decode('latin-1'),
            sent=sent,
        )
