"""`cell stock` against an inventory node with a database."""

from __future__ import annotations

import io
import json

import pytest
from cell_bringup.client import CellError
from cell_bringup.stock import export_stock, import_stock
from cell_inventory.node import InventoryNode
from rich.console import Console

from cell_bringup import cli
from cell_interfaces.srv import GetInventory

FORMS = {
    'full': '{"default": {"EM1-2U1": [5, 5, 5, 5]}, "current": {"EM1-2U1": [1, 2, 3, 4]}, "job": {"quantity": 3}}',
    'mapping': '{"EM1-2U1": [1, 2, 3, 4]}',
    'array': '[{"part_number": "EM1-2U1", "tray1": 1, "tray2": 2, "tray3": 3, "tray4": 4}]',
    'event': '{"inventory": [{"part_number": "EM1-2U1", "tray1": 1, "tray2": 2, "tray3": 3, "tray4": 4}]}',
}


@pytest.fixture
def inventory(graph, tmp_path, catalogue_file):
    options = {'catalogue_file': catalogue_file, 'database_url': f'sqlite:///{tmp_path}/cell.db'}
    return graph.add(InventoryNode(**graph.options(**options)))


def run(client, *words):
    console = Console(file=io.StringIO(), width=160)
    options = cli.parser().parse_args(['stock', *words])
    if options.action == 'import':
        import_stock(client, console, options.file, check=options.check)
    else:
        export_stock(client, console, options.file)
    return console.file.getvalue()


@pytest.mark.parametrize('form', FORMS)
def test_every_form_is_imported_as_adjustments_and_exported_again(inventory, client, tmp_path, form):
    path = tmp_path / 'inventory.json'
    path.write_text(FORMS[form])
    assert '3 trays differ' in run(client, 'import', str(path), '--check')
    assert 'EM1-2U1 tray 2: 1 -> 2' in run(client, 'import', str(path))
    answer = client.call(GetInventory, 'inventory/get', GetInventory.Request(max_events=3))
    assert [tray.count for tray in answer.inventory.parts[0].trays] == [1, 2, 3, 4]
    assert {entry.reason for entry in answer.events} == {'imported from inventory.json'}
    assert all(entry.operator_id for entry in answer.events)
    run(client, 'export', str(path))
    assert json.loads(path.read_text()) == json.loads(FORMS[form])


def test_a_new_file_has_the_form_of_the_replaced_system(inventory, client, tmp_path):
    printed = run(client, 'export', str(tmp_path / 'new[b].json'))
    counts = {'EM1-2U1': [1, 1, 1, 1]}
    job = {'part_number': '—', 'quantity': 0}
    assert json.loads((tmp_path / 'new[b].json').read_text()) == {'default': counts, 'current': counts, 'job': job}
    assert 'new[b].json' in printed and '"default" of the new file' in printed


def test_a_text_that_is_no_unicode_is_named_and_left(inventory, client, tmp_path):
    path = tmp_path / 'inventory.json'
    path.write_text('{"current": {"EM1-2U1": [1, 2, 3, 4]},\n"job": {"part_number": "\\ud800"}}')
    with pytest.raises(CellError, match=r'line 2: .*no valid Unicode.*Nothing was booked'):
        run(client, 'export', str(path))
    assert path.read_text().endswith('\\ud800"}}')


@pytest.mark.parametrize('action', ['import', 'export'])
def test_a_file_that_is_no_stock_file_is_named_and_left(inventory, client, tmp_path, action):
    path = tmp_path / 'inventory.json'
    path.write_text('{"EM1-2U1": [1, 2,\n 3, 99]}')
    with pytest.raises(CellError, match=r'line 2: EM1-2U1 tray4 is 99: .*Nothing was booked'):
        run(client, action, str(path))
    assert path.read_text() == '{"EM1-2U1": [1, 2,\n 3, 99]}'


def test_a_missing_file_is_named(inventory, client, tmp_path):
    with pytest.raises(CellError, match='No such file'):
        run(client, 'import', str(tmp_path / 'none.json'))
