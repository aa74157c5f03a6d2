"""Stock and ledger entries as ROS messages."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from cell_common.catalogue import Part
from cell_common.time import NS_PER_S

from cell_interfaces.msg import Inventory, InventoryEvent, PartStock, TrayStock
from cell_inventory.rules import Booked, Stock


def time_message(stamp_ns: int) -> Time:
    """Return nanoseconds as a ROS time."""
    return Time(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def inventory_message(stock: Stock, sequence: int, stamp_ns: int, only: str = '') -> Inventory:
    """Return all parts of the catalogue with their counts, ordered by part number.

    Args:
        stock: Catalogue and counts.
        sequence: Number of the last ledger entry in these counts.
        stamp_ns: When the ledger was read, nanoseconds.
        only: Part number to restrict it to; "" = all.
    """
    parts = [part_message(stock, part) for number, part in sorted(stock.catalogue.parts.items()) if only in ('', number)]
    return Inventory(stamp=time_message(stamp_ns), sequence=sequence, parts=parts)


def part_message(stock: Stock, part: Part) -> PartStock:
    """Return one part with its trays."""
    trays = []
    for tray in part.trays:
        count = stock.count(part.part_number, tray.tray)
        state = TrayStock.EMPTY if count == 0 else TrayStock.LOW if count <= tray.low else TrayStock.FILLED
        trays.append(TrayStock(tray=tray.tray, count=count, capacity=tray.capacity, state=state))
    return PartStock(
        part_number=part.part_number,
        description=part.description,
        letter=part.letter,
        unit_weight=part.unit_weight,
        trays=trays,
        total=sum(tray.count for tray in trays),
    )


def event_message(item: Booked) -> InventoryEvent:
    """Return one ledger entry."""
    entry = item.entry
    return InventoryEvent(
        sequence=item.sequence,
        stamp=time_message(item.stamp_ns),
        kind=int(entry.kind),
        part_number=entry.part_number,
        tray=entry.tray,
        delta=entry.delta,
        count_after=item.count_after,
        job_id=entry.job_id,
        piece=entry.piece,
        operator_id=entry.operator_id,
        reason=entry.reason,
        undoes=entry.undoes,
    )
