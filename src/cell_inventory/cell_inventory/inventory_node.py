"""Node `inventory`: owns the stock ledger and the part master."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from rclpy.node import Node

from cell_interfaces.msg import Inventory, InventoryEvent, ResultCode
from cell_interfaces.srv import AdjustStock, BookPiece, GetInventory, ResetStock, UndoStock
from cell_inventory import rules
from cell_inventory.ledger import Ledger
from cell_inventory.messages import event_message, inventory_message
from cell_inventory.rules import Booked, Entry, Kind, Refused
from cell_inventory.stock_file import StockFileError, read_stock

MOST_EVENTS = 1000
_OUTCOMES = {BookPiece.Request.PLACED: Kind.PLACE, BookPiece.Request.REJECTED: Kind.REJECT}


@dataclass(frozen=True)
class InventoryParameters:
    """Parameters of node `inventory`."""

    database_url: str = parameter('sqlite:///cell.db', 'Where the ledger is kept, as an SQLAlchemy URL.')
    catalogue_file: str = parameter('config/parts.yaml', 'The part catalogue, a YAML file.')
    first_stock_file: str = parameter(
        '', 'Counts to load when a tray is first seen, a JSON file (see docs); "" = the catalogue\'s counts.'
    )


class InventoryNode(Node):
    """Books, publishes and answers; the rules are in `rules`, the storing in `ledger`."""

    def __init__(self, **options: Any) -> None:
        """Open the ledger and book what the catalogue has new.

        Raises:
            StartError: The catalogue, the first stock file or the database cannot be used.
        """
        super().__init__('inventory', **options)
        self._settings = declare_parameters(self, InventoryParameters)
        self._trouble = ''
        self._ledger = self._open()
        self._publisher = self.create_publisher(Inventory, 'inventory', latched())
        self._events = self.create_publisher(InventoryEvent, 'inventory/events', events())
        self.create_service(AdjustStock, 'inventory/adjust', self._on_adjust)
        self.create_service(AdjustStock, 'inventory/reload', self._on_reload)
        self.create_service(ResetStock, 'inventory/reset', self._on_reset)
        self.create_service(UndoStock, 'inventory/undo', self._on_undo)
        self.create_service(GetInventory, 'inventory/get', self._on_get)
        self.create_service(BookPiece, 'inventory/book', self._on_book)
        Diagnostics(self).add('ledger', self._health)
        self._publish(())

    def _open(self) -> Ledger:
        try:
            catalogue = load_catalogue(self._settings.catalogue_file)
            path = self._settings.first_stock_file
            counts = read_stock(Path(path).read_text(encoding='utf-8'), catalogue) if path else None
            engine = open_database(self._settings.database_url)
            migrate(engine, 'cell_inventory')
            ledger = Ledger(engine, catalogue)
            loaded = ledger.load(self._now(), self.get_name(), counts)
        except (StockFileError, OSError, UnicodeDecodeError) as problem:
            raise StartError(f'parameter first_stock_file: {problem}') from problem
        except (CatalogueError, DatabaseError, Refused) as problem:
            raise StartError(str(problem)) from problem
        for warning in catalogue.warnings:
            self.get_logger().warning(warning)
        self.get_logger().info(f'{len(catalogue.parts)} parts, {len(loaded)} trays loaded for the first time')
        return ledger

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_adjust(self, request: AdjustStock.Request, response: AdjustStock.Response) -> AdjustStock.Response:
        return self._change(
            request,
            response,
            lambda who: self._ledger.apply(
                lambda stock: rules.adjust(stock, request.part_number, request.tray, request.count, request.reason),
                who,
                self._now(),
            ),
        )

    def _on_reload(self, request: AdjustStock.Request, response: AdjustStock.Response) -> AdjustStock.Response:
        return self._change(
            request,
            response,
            lambda who: self._ledger.apply(
                lambda stock: rules.reload(stock, request.part_number, request.tray, request.count, request.reason),
                who,
                self._now(),
            ),
        )

    def _on_reset(self, request: ResetStock.Request, response: ResetStock.Response) -> ResetStock.Response:
        return self._change(
            request,
            response,
            lambda who: self._ledger.apply(
                lambda stock: rules.reset(stock, request.part_number, request.reason), who, self._now()
            ),
        )

    def _on_undo(self, request: UndoStock.Request, response: UndoStock.Response) -> UndoStock.Response:
        return self._change(
            request, response, lambda who: self._ledger.undo(request.sequence, request.reason, who, self._now())
        )

    def _on_book(self, request: BookPiece.Request, response: BookPiece.Response) -> BookPiece.Response:
        try:
            kind = _OUTCOMES.get(request.outcome)
            if kind is None:
                raise Refused(ResultCode.INVALID_ARGUMENT, f'outcome is {request.outcome}: give PLACED or REJECTED')
            booked = self._ledger.book(
                Entry(
                    kind, request.part_number, request.tray, -1, self.get_name(), request.reason, request.job_id, request.piece
                ),
                self._now(),
            )
        except Refused as refusal:
            return self._refuse(response, refusal)
        self._trouble = ''
        self._publish(booked)
        response.already_booked = not booked
        response.message = 'booked before' if not booked else _summary(booked)
        return response

    def _on_get(self, request: GetInventory.Request, response: GetInventory.Response) -> GetInventory.Response:
        try:
            if request.part_number:
                self._ledger.stock.part(request.part_number)
            if request.max_events > MOST_EVENTS:
                raise Refused(ResultCode.INVALID_ARGUMENT, f'max_events is {request.max_events}: give at most {MOST_EVENTS}')
            latest = self._ledger.latest(request.max_events, request.part_number) if request.max_events else []
        except Refused as refusal:
            return self._refuse(response, refusal)
        response.events = [event_message(item) for item in latest]
        response.inventory = self._message(request.part_number)
        return response

    def _change(self, request: Any, response: Any, book: Callable[[str], list[Booked]]) -> Any:
        """Answer a person's command: check its age, book, publish, say what was done."""
        try:
            late = expiry_error(request.command, self._now())
            if late:
                raise Refused(ResultCode.EXPIRED, late)
            booked = book(request.command.operator_id or self.get_name())
        except Refused as refusal:
            return self._refuse(response, refusal)
        self._trouble = ''
        self._publish(booked)
        response.message = _summary(booked)
        response.inventory = self._message()
        return response

    def _refuse(self, response: Any, refusal: Refused) -> Any:
        response.code, response.message = refusal.code, str(refusal)
        if refusal.code == ResultCode.STORAGE_FAILED:
            if not self._trouble:
                self.get_logger().error(str(refusal))
            self._trouble = str(refusal)
        return response

    def _message(self, only: str = '') -> Inventory:
        return inventory_message(self._ledger.stock, self._ledger.sequence, self._now(), only)

    def _publish(self, booked: list[Booked] | tuple[()]) -> None:
        for item in booked:
            self._events.publish(event_message(item))
        self._publisher.publish(self._message())

    def _health(self) -> Health:
        if self._trouble:
            return Health(2, self._trouble)
        stock = self._ledger.stock
        empty = [
            number
            for number, part in stock.catalogue.parts.items()
            if not any(stock.count(number, tray.tray) for tray in part.trays)
        ]
        values = {'parts': str(len(stock.catalogue.parts)), 'entries': str(self._ledger.sequence)}
        return Health(1 if empty else 0, f'trays empty: {", ".join(empty)}' if empty else '', values)


def _summary(booked: list[Booked]) -> str:
    if not booked:
        return 'nothing to change'
    if len(booked) > 4:
        return f'{len(booked)} trays changed'
    return ', '.join(
        f'{item.entry.part_number} tray {item.entry.tray}: {item.entry.delta:+d}, now {item.count_after}' for item in booked
    )


main = node_main(InventoryNode)
