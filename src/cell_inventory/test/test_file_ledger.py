"""The ledger as a stock file sees it."""

import pytest
from cell_common.testing import migrated_database
from cell_inventory.file_ledger import FileLedger
from cell_inventory.ledger import Ledger
from cell_inventory.rules import TrayCount

from cell_inventory import rules

PART = 'EM1-2U1'


@pytest.fixture
def ledger(tmp_path, catalogue):
    engine = migrated_database(f'sqlite:///{tmp_path}/cell.db', 'cell_inventory')
    yield Ledger(engine, catalogue)
    engine.dispose()


def test_the_changes_lead_from_the_counts_of_now_back_to_the_first_ones(ledger):
    ledger.load_initial(1, 'inventory')
    for tray, count in ((2, 9), (1, 4), (2, 8)):
        ledger.post(lambda stock, tray=tray, count=count: rules.adjust(stock, TrayCount(PART, tray, count, 'x')), 'ann', 2)
    file_ledger = FileLedger(ledger, lambda *_: None)
    assert file_ledger.counts()[PART, 2] == 8
    assert file_ledger.changes()[:3] == [{(PART, 2): 9}, {(PART, 1): 3}, {(PART, 2): 2}]


def test_an_empty_ledger_has_no_changes(ledger):
    assert FileLedger(ledger, lambda *_: None).changes() == []
