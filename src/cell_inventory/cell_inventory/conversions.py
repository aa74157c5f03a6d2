"""Stock and ledger entries as ROS messages.

The numbers of `rules.EntryKind` are those of InventoryEvent, so kinds are cast.
"""

from __future__ import annotations

from collections.abc import Sequence

from cell_common.catalogue import Part
from cell_common.ros_time import to_msg

from cell_interfaces.msg import Inventory, InventoryEvent, PartStock, TrayStock
from cell_interfaces.srv import AdjustStock
from cell_inventory.rules import LedgerEntry, Stock, TrayCount

MAX_SUMMARIZED = 4


def inventory_message(stock: Stock, sequence: int, stamp_ns: int, only: str = '') -> Inventory:
    """Return all parts of the catalogue with their counts, ordered by part number.

    Args:
        stock: Catalogue and counts.
        sequence: Number of the last ledger entry in these counts.
        stamp_ns: When the ledger was read, ROS time in nanoseconds.
        only: Part number to restrict the message to; "" = all parts.
    """
    parts = [part_message(stock, part) for number, part in sorted(stock.catalogue.parts.items()) if only in ('', number)]
    return Inventory(stamp=to_msg(stamp_ns), sequence=sequence, parts=parts)


def part_message(stock: Stock, part: Part) -> PartStock:
    """Return one part with its trays.

    A tray is EMPTY at 0, LOW at its low-water mark or below, else FILLED.

    Args:
        stock: Catalogue and counts.
        part: A part of this catalogue.
    """
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


def event_message(entry: LedgerEntry) -> InventoryEvent:
    """Return one ledger entry."""
    new = entry.entry
    return InventoryEvent(
        sequence=entry.sequence,
        stamp=to_msg(entry.stamp_ns),
        kind=int(new.kind),
        part_number=new.part_number,
        tray=new.tray,
        delta=new.delta,
        count_after=entry.count_after,
        job_id=new.job_id,
        piece=new.piece,
        operator_id=new.operator_id,
        reason=new.reason,
        undoes=new.undoes,
        request_id=new.request_id,
        evidence=new.evidence,
    )


def tray_count(request: AdjustStock.Request) -> TrayCount:
    """Return the count of a request."""
    return TrayCount(request.part_number, request.tray, request.count, request.reason, request.over_capacity)


def summary(posted: Sequence[LedgerEntry]) -> str:
    """Return the entries of one command as a sentence for the operator."""
    """Return a message for the operator: each tray's change, or their number if they are many."""
    if not posted:
        return 'nothing to change'
    if len(posted) > MAX_SUMMARIZED:
        return f'{len(posted)} trays changed'
    return ', '.join(
        f'{item.entry.part_number} tray {item.entry.tray}: {item.entry.delta:+d}, now {item.count_after}' for item in posted
    )
