"""`cell stock`: counts of the running cell from and to a file like the old `inventory.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cell_common.atomic_file import replace_file
from cell_inventory.stock_file import StockFile, StockFileError, new_stock_file, parse_stock, write_stock
from rich.console import Console

from cell_bringup.client import CellClient, CellError
from cell_interfaces.msg import Inventory
from cell_interfaces.srv import AdjustStock, GetInventory

__all__ = ['export_stock', 'import_stock']


def import_stock(client: CellClient, console: Console, path: Path, *, check: bool) -> None:
    """Book the counts of a file as adjustments of the trays that differ.

    Args:
        client: Client of the cell.
        console: Output.
        path: The file.
        check: Print the changes only.

    Raises:
        CellError: The file cannot be used, or the ledger rejected a change; earlier changes stay booked.
    """
    inventory = _inventory(client)
    file, counts = _read(path, inventory), _counts(inventory)
    changes = {key: count for key, count in sorted(file.counts.items()) if counts[key] != count}
    # One call for each tray: each becomes a ledger entry with its own reason, and a rejection names its tray.
    for done, ((part_number, tray), count) in enumerate(changes.items()):
        console.print(f'{part_number} tray {tray}: {counts[part_number, tray]} -> {count}', markup=False)
        if check:
            continue
        request = AdjustStock.Request(
            command=client.command(), part_number=part_number, tray=tray, count=count, reason=f'imported from {path.name}'
        )
        try:
            client.call(AdjustStock, 'inventory/adjust', request)
        except CellError as error:
            raise CellError(f'{error} {done} of {len(changes)} changes are booked: import the file again.') from error
    console.print(f'{len(changes)} trays {"differ" if check else "adjusted"}')


def export_stock(client: CellClient, console: Console, path: Path) -> None:
    """Write the counts to a file. A file that exists keeps its form, its default counts and its job.

    A new file has the full form of the replaced system, which resets from `default`: the counts of now, since a running cell
    does not publish others.

    Args:
        client: Client of the cell.
        console: Output.
        path: The file; a symbolic link is followed.

    Raises:
        CellError: The file exists and is not a stock file, or cannot be written.
    """
    inventory = _inventory(client)
    counts = _counts(inventory)
    existed = path.exists()
    file = _read(path, inventory).with_counts(counts) if existed else new_stock_file(counts, counts)
    try:
        replace_file(path.resolve(), write_stock(file).encode())
    except OSError as error:
        raise CellError(f'{path} cannot be written: {error.strerror}.') from error
    # Without markup: a name may have brackets.
    console.print(f'{len(inventory.parts)} parts written to {path}', markup=False)
    if not existed:
        console.print('"default" of the new file has the counts of now: set it to the counts after a reset')


def _inventory(client: CellClient) -> Inventory:
    return client.call(GetInventory, 'inventory/get', GetInventory.Request()).inventory


def _counts(inventory: Inventory) -> dict[tuple[str, int], int]:
    return {(part.part_number, tray.tray): tray.count for part in inventory.parts for tray in part.trays}


def _read(path: Path, inventory: Inventory) -> StockFile:
    """Return a stock file, checked against the parts and capacities of the cell.

    Raises:
        CellError: It cannot be read or used.
    """
    capacities: Mapping[str, Mapping[int, int]] = {
        part.part_number: {tray.tray: tray.capacity for tray in part.trays} for part in inventory.parts
    }
    try:
        return parse_stock(path.read_text(encoding='utf-8-sig'), capacities)
    except OSError as error:
        raise CellError(f'{path} cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise CellError(f'{path} is not UTF-8: save it as UTF-8.') from error
    except StockFileError as error:
        raise CellError(f'{path}: {error}. Nothing was booked or written.') from error
