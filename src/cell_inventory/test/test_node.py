import io
import json
import sqlite3

import pytest
import rclpy
from builtin_interfaces.msg import Duration, Time
from cell_common.qos import latched
from cell_common.runner import StartError
from cell_common.services import create_client
from cell_common.testing import wait_until
from cell_inventory.export_stock import export
from cell_inventory.node import InventoryNode
from cell_inventory.stock_file import read_stock
from diagnostic_msgs.msg import DiagnosticArray

from cell_interfaces.msg import AlarmEvent, CommandInfo, Inventory, InventoryEvent, ResultCode
from cell_interfaces.srv import AdjustStock, BookPiece, GetInventory, ResetStock, UndoStock

PART = 'EM1-2U1'


@pytest.fixture
def options(graph, database_url, catalogue_file):
    return graph.options(database_url=database_url, catalogue_file=str(catalogue_file))


@pytest.fixture
def node(graph, options):
    return graph.add(InventoryNode(**options))


def adjust(graph, count, tray=1, **command):
    request = AdjustStock.Request(
        part_number=PART, tray=tray, count=count, reason='counted', command=CommandInfo(operator_id='ann', **command)
    )
    return graph.call(AdjustStock, 'inventory/adjust', request)


def book(graph, piece, outcome=BookPiece.Request.PLACED, tray=1):
    return graph.call(
        BookPiece,
        'inventory/book',
        BookPiece.Request(job_id='job', piece=piece, part_number=PART, tray=tray, outcome=outcome, reason='why'),
    )


def trays(inventory):
    return next([tray.count for tray in part.trays] for part in inventory.parts if part.part_number == PART)


def test_a_late_joiner_sees_the_first_stock(graph, node):
    received = graph.collect(Inventory, 'inventory', latched())
    wait_until(lambda: received)
    part = received[0].parts[0]
    assert (part.part_number, part.letter, part.total, trays(received[0])) == (PART, 'A', 5, [3, 2, 0, 0])
    assert [tray.state for tray in part.trays] == [2, 1, 0, 0]


def test_an_adjustment_is_published_with_its_entry(graph, node):
    entries = graph.collect(InventoryEvent, 'inventory/events', 100)
    wait_until(lambda: node.count_subscribers('inventory/events'))
    answer = adjust(graph, 9)
    assert (answer.code, trays(answer.inventory)) == (ResultCode.OK, [9, 2, 0, 0])
    wait_until(lambda: entries)
    entry = entries[0]
    assert (entry.kind, entry.delta, entry.count_after, entry.operator_id) == (InventoryEvent.ADJUST, 6, 9, 'ann')


def test_an_impossible_adjustment_is_refused_with_a_reason(graph, node):
    answer = adjust(graph, 11)
    assert answer.code == ResultCode.OVER_CAPACITY and '10' in answer.message


def test_a_command_that_is_too_old_is_refused(graph, node):
    answer = adjust(graph, 9, issued_at=Time(sec=1), valid_for=Duration(sec=1))
    assert answer.code == ResultCode.EXPIRED
    assert trays(graph.call(GetInventory, 'inventory/get', GetInventory.Request()).inventory)[0] == 3


def test_booking_again_answers_ok_and_changes_nothing(graph, node):
    first, second = book(graph, 1), book(graph, 1)
    assert (first.code, first.already_booked, second.code, second.already_booked) == (ResultCode.OK, False, ResultCode.OK, True)
    rejected = book(graph, 1, BookPiece.Request.REJECTED)
    assert rejected.code == ResultCode.INVALID_ARGUMENT
    assert book(graph, 2, 0).code == ResultCode.INVALID_ARGUMENT
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=10))
    assert trays(answer.inventory)[0] == 2
    assert [event.piece for event in answer.events][:1] == [1]


def test_a_routine_count_and_a_count_above_the_capacity(graph, node):
    request = AdjustStock.Request(part_number=PART, tray=1, count=3)
    assert graph.call(AdjustStock, 'inventory/count', request).code == ResultCode.OK
    over = AdjustStock.Request(part_number=PART, tray=1, count=12, reason='heaped')
    assert graph.call(AdjustStock, 'inventory/count', over).code == ResultCode.OVER_CAPACITY
    over.over_capacity = True
    assert trays(graph.call(AdjustStock, 'inventory/count', over).inventory)[0] == 12
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=2))
    assert [(event.kind, event.delta) for event in answer.events] == [(InventoryEvent.COUNT, 9), (InventoryEvent.COUNT, 0)]


def test_a_request_sent_again_takes_back_one_entry(graph, node):
    adjust(graph, 5)
    adjust(graph, 6)
    request = UndoStock.Request(command=CommandInfo(request_id='a', operator_id='ann'))
    first, second = (graph.call(UndoStock, 'inventory/undo', request) for _ in range(2))
    assert first == second and trays(first.inventory)[0] == 5
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=1))
    assert answer.events[0].request_id == 'a'


@pytest.mark.parametrize(('role', 'code'), [('operator', ResultCode.NOTHING_TO_UNDO), ('supervisor', ResultCode.OK)])
def test_an_old_entry_is_undone_by_a_supervisor_only(graph, options, database_url, catalogue_file, role, code):
    settings = {'database_url': database_url, 'catalogue_file': str(catalogue_file), 'undo_window': 0.001}
    graph.add(InventoryNode(**graph.options(**settings)))
    adjust(graph, 5)
    wait_until(lambda: True)
    request = UndoStock.Request(command=CommandInfo(operator_id='ann', role=role))
    assert graph.call(UndoStock, 'inventory/undo', request).code == code


@pytest.mark.parametrize('sequence', [2**63 - 1, 2**63, 2**64 - 1])
def test_a_number_of_no_entry_is_refused_and_the_node_lives_on(graph, node, sequence):
    answer = graph.call(UndoStock, 'inventory/undo', UndoStock.Request(sequence=sequence))
    assert answer.code in (ResultCode.NOTHING_TO_UNDO, ResultCode.INVALID_ARGUMENT)
    assert adjust(graph, 4).code == ResultCode.OK


def test_reload_is_asked_for_at_the_low_water_mark(graph, node):
    events = graph.collect(AlarmEvent, 'alarms/events', latched(100))
    wait_until(lambda: node.count_subscribers('alarms/events'))
    book(graph, 1)
    wait_until(lambda: [event.key for event in events if event.kind == AlarmEvent.RAISED] == [f'stock_low/{PART}'])
    assert 'runs low' in events[-1].text
    graph.call(AdjustStock, 'inventory/reload', AdjustStock.Request(part_number=PART, tray=0, count=-1))
    wait_until(lambda: events[-1].kind == AlarmEvent.CLEARED)


def test_reload_reset_and_undo(graph, node):
    answer = graph.call(AdjustStock, 'inventory/reload', AdjustStock.Request(part_number=PART, tray=0, count=-1))
    assert trays(answer.inventory) == [10, 10, 10, 10]
    answer = graph.call(UndoStock, 'inventory/undo', UndoStock.Request())
    assert trays(answer.inventory) == [10, 10, 10, 0]
    answer = graph.call(ResetStock, 'inventory/reset', ResetStock.Request(part_number=PART))
    assert trays(answer.inventory) == [3, 2, 0, 0]
    answer = graph.call(UndoStock, 'inventory/undo', UndoStock.Request(sequence=999))
    assert answer.code == ResultCode.NOTHING_TO_UNDO


def test_get_refuses_what_it_does_not_know(graph, node):
    assert graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number='NOPE')).code == ResultCode.UNKNOWN_PART
    assert graph.call(GetInventory, 'inventory/get', GetInventory.Request(max_events=1001)).code == ResultCode.INVALID_ARGUMENT


def test_a_new_node_continues_on_the_same_database(graph, node, options):
    book(graph, 1)
    graph.remove(node)
    graph.add(InventoryNode(**options))
    assert book(graph, 1).already_booked


def test_a_bad_catalogue_or_stock_file_stops_the_start(graph, database_url, catalogue_file, tmp_path):
    with pytest.raises(StartError, match='catalogue'):
        InventoryNode(**graph.options(database_url=database_url, catalogue_file='/nowhere.yaml'))
    stock = tmp_path / 'inventory.json'
    stock.write_text('{"EM1-2U1": {"tray1": 99}}')
    with pytest.raises(StartError, match='tray1 is 99'):
        InventoryNode(
            **graph.options(database_url=database_url, catalogue_file=str(catalogue_file), first_stock_file=str(stock))
        )


def test_the_first_stock_may_come_from_an_old_file(graph, options, tmp_path, database_url, catalogue_file):
    stock = tmp_path / 'inventory.json'
    stock.write_text('{"EM1-2U1": {"tray1": 7}}')
    graph.add(
        InventoryNode(
            **graph.options(database_url=database_url, catalogue_file=str(catalogue_file), first_stock_file=str(stock))
        )
    )
    assert trays(graph.call(GetInventory, 'inventory/get', GetInventory.Request()).inventory) == [7, 2, 0, 0]


def test_the_counts_are_exported_as_a_file_that_reads_back(graph, node, catalogue):
    exporter = rclpy.create_node('export_stock', context=graph.context, namespace='cell')
    output = io.StringIO()
    assert export(exporter, output)
    exporter.destroy_node()
    assert read_stock(output.getvalue(), catalogue)[PART, 1] == 3


def test_without_a_cell_there_is_nothing_to_export(graph):
    output = io.StringIO()
    assert not export(rclpy.create_node('export_stock', context=graph.context, namespace='cell'), output, 0.3)
    assert output.getvalue() == ''


def test_a_reset_or_count_that_changes_nothing_publishes_nothing(graph, node):
    stocks, entries = graph.collect(Inventory, 'inventory', latched()), graph.collect(InventoryEvent, 'inventory/events', 100)
    wait_until(lambda: stocks and node.count_subscribers('inventory/events'))
    reset = graph.call(ResetStock, 'inventory/reset', ResetStock.Request())
    counted = adjust(graph, 3)
    refilled = graph.call(AdjustStock, 'inventory/reload', AdjustStock.Request(part_number=PART, tray=1, count=3))
    assert [reset.code, counted.code, refilled.code] == [ResultCode.OK] * 3
    assert reset.message == 'nothing to change'
    adjust(graph, 4)
    wait_until(lambda: entries)
    assert [entry.count_after for entry in entries] == [4] and len(wait_until(lambda: stocks if len(stocks) > 1 else 0)) == 2
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=3))
    assert [event.delta for event in answer.events] == [1, 0, 0], 'the ledger keeps that the tray was counted'


def test_a_reset_of_all_parts_is_announced_even_when_no_count_changes(graph, node):
    resets = graph.collect(CommandInfo, 'inventory/last_reset', latched())
    graph.call(ResetStock, 'inventory/reset', ResetStock.Request(part_number=PART))
    graph.call(ResetStock, 'inventory/reset', ResetStock.Request(command=CommandInfo(operator_id='ann')))
    wait_until(lambda: resets)
    assert [reset.operator_id for reset in resets] == ['ann'] and resets[0].issued_at.sec > 0


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / 'inventory.json'
    path.write_text(
        json.dumps(
            {
                'default': {PART: [9, 9, 1, 1]},
                'current': {PART: [1, 2, 0, 0]},
                'job': {'part_number': PART, 'quantity': 2},
            }
        )
    )
    return path


@pytest.fixture
def synced(graph, database_url, catalogue_file, old_file):
    options = {'database_url': database_url, 'catalogue_file': str(catalogue_file), 'stock_file': str(old_file)}
    return graph.add(InventoryNode(**graph.options(**options, stock_file_sync='both')))


def current_of(path):
    return json.loads(path.read_text())['current'][PART]


def test_file_and_ledger_are_kept_in_step(graph, synced, old_file):
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=1))
    assert trays(answer.inventory) == [1, 2, 0, 0]
    assert (answer.events[0].kind, answer.events[0].operator_id) == (InventoryEvent.ADJUST, 'file inventory.json')
    adjust(graph, 7)
    wait_until(lambda: current_of(old_file) == [7, 2, 0, 0])
    stocks = graph.collect(Inventory, 'inventory', latched())
    old_file.write_text(old_file.read_text().replace('[7, 2, 0, 0]', '[7, 2, 0, 5]'))
    wait_until(lambda: stocks and trays(stocks[-1]) == [7, 2, 0, 5])


def test_a_reset_uses_the_defaults_of_the_file_and_keeps_its_job(graph, synced, old_file):
    answer = graph.call(ResetStock, 'inventory/reset', ResetStock.Request())
    assert trays(answer.inventory) == [9, 9, 1, 1]
    wait_until(lambda: current_of(old_file) == [9, 9, 1, 1])
    assert json.loads(old_file.read_text())['job'] == {'part_number': PART, 'quantity': 2}


def test_the_file_is_written_before_the_node_ends(graph, synced, old_file):
    adjust(graph, 8)
    graph.remove(synced)
    assert current_of(old_file)[0] == 8


@pytest.mark.parametrize(('path', 'message'), [('', 'stock_file is ""'), ('/nowhere/inventory.json', 'create it')])
def test_a_stock_file_that_cannot_be_stops_the_start(graph, database_url, catalogue_file, path, message):
    options = {'database_url': database_url, 'catalogue_file': str(catalogue_file), 'stock_file': path}
    with pytest.raises(StartError, match=message):
        InventoryNode(**graph.options(**options, stock_file_sync='both'))


class Lock:
    """Another process that holds the write lock of the database."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute('BEGIN IMMEDIATE')

    def release(self):
        self.connection.execute('ROLLBACK')
        self.connection.close()


@pytest.fixture
def locked(graph, tmp_path, catalogue_file, monkeypatch):
    monkeypatch.setattr('cell_common.database.BUSY_TIMEOUT_S', 2.5)
    path = tmp_path / 'cell.db'
    graph.add(InventoryNode(**graph.options(database_url=f'sqlite:///{path}', catalogue_file=str(catalogue_file))))
    return Lock(path)


def test_a_locked_database_delays_no_read_and_health_comes_back_by_itself(graph, locked):
    reports = graph.collect(DiagnosticArray, '/diagnostics', 100)
    client = create_client(graph.node, BookPiece, 'inventory/book')
    wait_until(client.service_is_ready)
    booking = client.call_async(BookPiece.Request(job_id='job', piece=1, part_number=PART, tray=1, outcome=1))
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(max_events=5))
    assert answer.code == ResultCode.OK and len(answer.events) == 5 and not booking.done()
    wait_until(booking.done)
    assert booking.result().code == ResultCode.STORAGE_FAILED

    def level():
        return max((status.level[0] for array in reports[-2:] for status in array.status), default=0)

    wait_until(lambda: level() == 2, what='the failure is reported')
    locked.release()
    reports.clear()
    wait_until(lambda: reports and level() < 2, what='the database works again')
    assert book(graph, 1).code == ResultCode.OK and not book(graph, 2).already_booked


def test_sixty_four_requests_at_once_are_answered(graph, node):
    clients = [create_client(graph.node, AdjustStock, 'inventory/adjust') for _ in range(64)]
    wait_until(lambda: all(client.service_is_ready() for client in clients))
    futures = [
        client.call_async(AdjustStock.Request(part_number=PART, tray=1, count=number % 10, reason=str(number)))
        for number, client in enumerate(clients)
    ]
    wait_until(lambda: all(future.done() for future in futures), 20)
    assert {future.result().code for future in futures} == {ResultCode.OK}
    answer = graph.call(GetInventory, 'inventory/get', GetInventory.Request(part_number=PART, max_events=64))
    assert sorted(int(event.reason) for event in answer.events) == list(range(64))
