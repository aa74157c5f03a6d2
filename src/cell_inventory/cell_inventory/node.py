"""Node `inventory`: owns the stock ledger and publishes the counts.

The only process that writes the ledger. Topic `inventory` is latched state; `inventory/events` has one message for each entry
that changes a count. A client that needs the truth calls inventory/get, because a topic may lag behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cell_common.alarms import AlarmReporter
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.command_log import open_command_log
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events, latched
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.services import create_service, publish_events
from cell_common.storage_health import StorageHealth
from cell_common.time import now_ns, seconds_to_ns
from cell_common.timers import create_steady_timer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from cell_interfaces.msg import CommandInfo, Inventory, InventoryEvent, ResultCode
from cell_interfaces.srv import AdjustStock, BookPiece, GetInventory, ResetStock, UndoStock
from cell_inventory import rules
from cell_inventory.conversions import event_message, inventory_message, summary, tray_count
from cell_inventory.file_ledger import FileLedger
from cell_inventory.first_start import DatabaseUse
from cell_inventory.ledger import Ledger, Rule, UndoCommand
from cell_inventory.rules import BookingRejected, EntryKind, LedgerEntry, NewEntry
from cell_inventory.stock_file import Counts, StockFile, StockFileError, capacities_of, parse_stock
from cell_inventory.stock_file_sync import StockFileSync, SyncSettings

__all__ = ['InventoryNode', 'InventoryParameters']

MAX_EVENTS = 1000
# A file counts as at rest after 0.2 s, so it is looked at twice in that time.
FILE_PERIOD_S = 0.1
UNLIMITED_ROLES = ('supervisor', 'maintainer')
_OUTCOMES = {BookPiece.Request.PLACED: EntryKind.PLACE, BookPiece.Request.REJECTED: EntryKind.REJECT}


class StockRequest(Protocol):
    """A request with the command of an operator."""

    command: CommandInfo


class StockResponse(Protocol):
    """A response with a result code."""

    code: int
    message: str


class StockChangeResponse(StockResponse, Protocol):
    """A response with the counts after a change."""

    inventory: Inventory


ResponseT = TypeVar('ResponseT', bound=StockResponse)
ChangeResponseT = TypeVar('ChangeResponseT', bound=StockChangeResponse)


@dataclass(frozen=True)
class InventoryParameters:
    """Parameters of node `inventory`."""

    database_url: str = parameter('sqlite:///cell.db', 'Database of the ledger, as an SQLAlchemy URL.')
    catalogue_file: str = parameter('config/parts.yaml', 'The part catalogue, a YAML file.')
    first_stock_file: str = parameter(
        '', 'Counts to load when a tray is first seen, a JSON file (see docs); "" = the catalogue\'s counts.'
    )
    stock_file: str = parameter('', 'File inventory.json that is kept in step with the ledger; "" = none.')
    stock_file_sync: str = parameter(
        'off',
        'Direction: off; export = the cell writes stock_file; both = changes of stock_file are booked, too.',
        choices=('off', 'export', 'both'),
    )
    undo_window: float = parameter(
        86_400.0,
        'Age up to which an operator may undo an entry; a supervisor or maintainer may undo older ones. 0 = any age.',
        unit='s',
        minimum=0.0,
        maximum=31_536_000.0,
    )


class InventoryNode(Node):
    """Services and topics of the ledger; the rules are in `rules`, the storage in `ledger`."""

    def __init__(self, **options: Any) -> None:
        """Open the ledger and load new trays of the catalogue.

        Raises:
            StartError: The catalogue, the first stock file or the database cannot be used.
        """
        super().__init__('inventory', **options)
        self._settings = declare_parameters(self, InventoryParameters)
        self._first_stock: StockFile | None = None
        self._worker = DatabaseWorker(self)
        self._ledger = self._open()
        self._alarms = AlarmReporter(self)
        self._cached: tuple[int, Inventory] = (-1, Inventory())
        self._publisher = self.create_publisher(Inventory, 'inventory', latched())
        self._events = self.create_publisher(InventoryEvent, 'inventory/events', events())
        self._resets = self.create_publisher(CommandInfo, 'inventory/last_reset', latched())
        self._create_services()
        diagnostics = Diagnostics(self)
        diagnostics.add('ledger', self._health)
        self._publisher.publish(self._message())
        self._file = self._open_stock_file()
        if self._file is not None:
            diagnostics.add('stock_file', self._file_health)
            self._poll_file()
            create_steady_timer(self, FILE_PERIOD_S, self._poll_file)

    def destroy_node(self) -> None:
        """Write the stock file, then destroy the node."""
        if self._file is not None:
            self._file.close()
        self._worker.close()
        self._engine.dispose()
        super().destroy_node()

    def _create_services(self) -> None:
        group, commands = ReentrantCallbackGroup(), self._commands
        create_service(self, AdjustStock, 'inventory/adjust', self._on_adjust, group, commands)
        create_service(self, AdjustStock, 'inventory/count', self._on_count, group, commands)
        create_service(self, AdjustStock, 'inventory/reload', self._on_reload, group, commands)
        create_service(self, ResetStock, 'inventory/reset', self._on_reset, group, commands)
        create_service(self, UndoStock, 'inventory/undo', self._on_undo, group, commands)
        create_service(self, GetInventory, 'inventory/get', self._on_get, group)
        publish_events(self, create_service(self, BookPiece, 'inventory/book', self._on_book, group))

    def _open(self) -> Ledger:
        """Open ledger and catalogue, and load trays that are new.

        Raises:
            StartError: A file or the database cannot be used; the text names the parameter.
        """
        try:
            catalogue = load_catalogue(self._settings.catalogue_file)
            path = self._settings.first_stock_file
            if path:
                # utf-8-sig: editors on Windows write a byte-order mark.
                self._first_stock = parse_stock(Path(path).read_text(encoding='utf-8-sig'), capacities_of(catalogue))
            use = DatabaseUse(self._settings.database_url)
            engine = self._engine = open_database(self._settings.database_url)
            question = use.question(engine)
            migrate(engine, 'cell_inventory')
            ledger = Ledger(engine, catalogue)
            if question and not ledger.sequence:
                raise StartError(question)
            self._commands = open_command_log(self, engine, self._worker)
            self._storage = StorageHealth(self, engine, self._worker)
            counts = self._first_stock.counts if self._first_stock else None
            loaded = ledger.load_initial(now_ns(self), self.get_name(), counts)
            use.mark()
        except (StockFileError, OSError, UnicodeDecodeError) as error:
            raise StartError(f'parameter first_stock_file: {error}') from error
        except (CatalogueError, DatabaseError, BookingRejected) as error:
            raise StartError(str(error)) from error
        for warning in catalogue.warnings:
            self.get_logger().warning(warning)
        self.get_logger().info(f'{len(catalogue.parts)} parts, {len(loaded)} trays loaded for the first time')
        return ledger

    def _open_stock_file(self) -> StockFileSync | None:
        """Return the synchronization of the stock file, None if it is off or the node replays a recording.

        Raises:
            StartError: The settings contradict each other, or the file's folder does not exist.
        """
        mode, path = self._settings.stock_file_sync, self._settings.stock_file
        if mode == 'off' or self.get_parameter('use_sim_time').value:  # a replay must not touch the live cell's file
            return None
        if not path:
            raise StartError(f'parameter stock_file_sync is "{mode}", but stock_file is "": name the file')
        catalogue = self._ledger.catalogue
        defaults = {
            **{(part.part_number, tray.tray): tray.count for part in catalogue.parts.values() for tray in part.trays},
            **(self._first_stock.defaults if self._first_stock else {}),
        }
        settings = SyncSettings(Path(path), mode == 'both', capacities_of(catalogue), defaults)
        try:
            return StockFileSync(settings, FileLedger(self._ledger, self._book_file), self.get_logger().warning)
        except (StockFileError, BookingRejected) as error:
            raise StartError(f'parameter stock_file: {error}') from error

    def _poll_file(self) -> None:
        if self._file is not None:
            self._file.poll(time.monotonic())

    def _book_file(self, counts: Counts, operator_id: str, reason: str) -> None:
        """Book counts that another program wrote into the stock file.

        Raises:
            BookingRejected: A count is not possible, or the database failed.
        """

        def rule(stock: rules.Stock) -> list[NewEntry]:
            return rules.import_counts(stock, counts, reason)

        self._publish(self._ledger.post(rule, operator_id, now_ns(self)))

    def _defaults(self) -> Counts:
        """Return the counts after a reset, where a file replaces the catalogue's."""
        return {
            **(self._first_stock.defaults if self._first_stock else {}),
            **(self._file.defaults if self._file else {}),
        }

    async def _on_adjust(self, request: AdjustStock.Request, response: AdjustStock.Response) -> AdjustStock.Response:
        return await self._post(request, response, lambda stock: rules.adjust(stock, tray_count(request)))

    async def _on_count(self, request: AdjustStock.Request, response: AdjustStock.Response) -> AdjustStock.Response:
        return await self._post(request, response, lambda stock: rules.adjust(stock, tray_count(request), EntryKind.COUNT))

    async def _on_reload(self, request: AdjustStock.Request, response: AdjustStock.Response) -> AdjustStock.Response:
        return await self._post(request, response, lambda stock: rules.reload(stock, tray_count(request)))

    async def _on_reset(self, request: ResetStock.Request, response: ResetStock.Response) -> ResetStock.Response:
        """Reset one part or all; a reset of all is also published, because it clears a pick job that does not run."""

        def rule(stock: rules.Stock) -> list[NewEntry]:
            return rules.reset(stock, request.part_number, request.reason, self._defaults())

        await self._post(request, response, rule)
        if response.code == ResultCode.OK and not request.part_number:
            command = request.command
            self._resets.publish(
                CommandInfo(
                    request_id=command.request_id,
                    # Latched for the coordinator, which clears a job that does not run, also when it starts later.
                    operator_id=command.operator_id or self.get_name(),
                    issued_at=to_msg(now_ns(self)),
                )
            )
        return response

    async def _on_undo(self, request: UndoStock.Request, response: UndoStock.Response) -> UndoStock.Response:
        command, now = request.command, now_ns(self)
        window_ns = 0 if command.role in UNLIMITED_ROLES else seconds_to_ns(self._settings.undo_window)
        undoing = UndoCommand(
            command.operator_id or self.get_name(), request.reason, command.request_id, now - window_ns if window_ns else 0
        )
        return await self._execute(request, response, lambda: self._ledger.undo(request.sequence, undoing, now))

    async def _on_book(self, request: BookPiece.Request, response: BookPiece.Response) -> BookPiece.Response:
        """Book a piece of a job once: a repetition under the same job and piece gets the same answer."""
        try:
            kind = _OUTCOMES.get(request.outcome)
            if kind is None:
                raise BookingRejected(ResultCode.INVALID_ARGUMENT, f'outcome is {request.outcome}: give PLACED or REJECTED')
            # The tray's count is not checked here: the arm has moved the piece, and the ledger follows.
            wanted = NewEntry(
                kind=kind,
                part_number=request.part_number,
                tray=request.tray,
                delta=-1,
                operator_id=self.get_name(),
                reason=request.reason,
                job_id=request.job_id,
                piece=request.piece,
                evidence=request.evidence,
            )
            now = now_ns(self)
            posted = await self._worker.run(lambda: self._ledger.book(wanted, now))
        except BookingRejected as error:
            return self._reject(response, error)
        self._storage.succeeded()
        self._publish(posted)
        response.already_booked = not posted
        response.message = summary(posted) if posted else 'booked before'
        return response

    def _on_get(self, request: GetInventory.Request, response: GetInventory.Response) -> GetInventory.Response:
        """Answer from memory and by a reading transaction: neither waits for a writer."""
        try:
            if request.part_number:
                self._ledger.stock.part(request.part_number)
            if request.max_events > MAX_EVENTS:
                raise BookingRejected(
                    ResultCode.INVALID_ARGUMENT, f'max_events is {request.max_events}: give at most {MAX_EVENTS}'
                )
            latest = self._ledger.latest(request.max_events, request.part_number) if request.max_events else []
        except BookingRejected as error:
            response.code, response.message = error.code, str(error)
            return response
        response.events = [event_message(item) for item in latest]
        response.inventory = self._message(request.part_number)
        return response

    async def _post(self, request: StockRequest, response: ChangeResponseT, rule: Rule) -> ChangeResponseT:
        """Execute an operator's command that is a rule of the ledger; see `_execute`."""
        command, now = request.command, now_ns(self)
        operator_id = command.operator_id or self.get_name()
        return await self._execute(request, response, lambda: self._ledger.post(rule, operator_id, now, command.request_id))

    async def _execute(
        self, request: StockRequest, response: ChangeResponseT, post: Callable[[], list[LedgerEntry]]
    ) -> ChangeResponseT:
        """Execute an operator's command: check its age, post the entries, publish and fill in the response.

        Args:
            request: Its `command` names the operator; without one the node's name is stored.
            response: Gets code, message and the counts of all parts.
            post: Posts the entries, in the thread of the database; may raise BookingRejected.
        """
        try:
            if message := expiry_error(request.command, now_ns(self)):
                raise BookingRejected(ResultCode.EXPIRED, message)
            posted = await self._worker.run(post)
        except BookingRejected as error:
            return self._reject(response, error)
        self._storage.succeeded()
        self._publish(posted)
        response.message = summary(posted)
        response.inventory = self._message()
        return response

    def _reject(self, response: ResponseT, error: BookingRejected) -> ResponseT:
        """Fill in the response of a rejected request; a failing database is logged once and shown as the node's health."""
        response.code, response.message = error.code, str(error)
        if error.code == ResultCode.STORAGE_FAILED:
            self._storage.failed(str(error))
        return response

    def _message(self, only: str = '') -> Inventory:
        """Return the counts; the message of all parts is made once for each change."""
        sequence, stock = self._ledger.snapshot()
        if only:
            return inventory_message(stock, sequence, now_ns(self), only)
        if self._cached[0] != sequence:
            self._cached = sequence, inventory_message(stock, sequence, now_ns(self))
        message = self._cached[1]
        message.stamp = to_msg(now_ns(self))
        return message

    def _publish(self, posted: Sequence[LedgerEntry]) -> None:
        """Publish the entries that changed a count, and the counts. An entry that changes none stays in the ledger only."""
        changes = [item for item in posted if item.entry.delta]
        for item in changes:
            self._events.publish(event_message(item))
        if changes:
            self._update_low_alarms({item.entry.part_number for item in changes})
            self._publisher.publish(self._message())
            if self._file is not None:
                self._file.ledger_changed()

    def _update_low_alarms(self, part_numbers: set[str]) -> None:
        """Ask for a reload at the low-water mark, before the trays are empty."""
        stock = self._ledger.stock
        for number in part_numbers & stock.catalogue.parts.keys():
            trays = stock.catalogue.parts[number].trays
            total, mark = sum(stock.count(number, tray.tray) for tray in trays), sum(tray.low for tray in trays)
            if total <= mark:
                self._alarms.raise_known('stock_low', instance=number, part=number, mark=mark)
            else:
                self._alarms.clear_alarm(f'stock_low/{number}')

    def _file_health(self) -> Health:
        error = self._file.error if self._file is not None else ''
        return Health(1 if error else 0, error)

    def _health(self) -> Health:
        if self._storage.error:
            return Health(2, self._storage.error)
        stock = self._ledger.stock
        empty = [
            number
            for number, part in stock.catalogue.parts.items()
            if not any(stock.count(number, tray.tray) for tray in part.trays)
        ]
        values = {'parts': str(len(stock.catalogue.parts)), 'entries': str(self._ledger.sequence)}
        return Health(1 if empty else 0, f'trays empty: {", ".join(empty)}' if empty else '', values)


main = node_main(InventoryNode)
