"""A stock file next to a ledger, with a clock of the test and no watch of the folder."""

import json

import pytest
from cell_inventory.stock_file_sync import StockFileSync, SyncSettings

CAPACITIES = {'A': dict.fromkeys((1, 2, 3, 4), 24)}


class Ledger:
    def __init__(self):
        self.stock = {('A', tray): 5 for tray in (1, 2, 3, 4)}
        self.booked = []
        self.agreed = {}
        self.before = []

    def counts(self):
        return self.stock

    def book_changes(self, counts, operator_id, reason):
        self.booked.append(counts)
        self.stock.update(counts)

    def pick(self, tray):
        self.before.insert(0, {('A', tray): self.stock['A', tray]})
        self.stock['A', tray] -= 1

    def changes(self):
        return self.before

    def agreed_counts(self, path):
        return self.agreed

    def save_agreed_counts(self, path, counts):
        self.agreed = counts


class Site:
    def __init__(self, path):
        self.path, self.ledger, self.warnings, self.now = path, Ledger(), [], 0.0
        self.start()

    def start(self):
        self.sync = StockFileSync(SyncSettings(self.path, True, CAPACITIES, self.ledger.stock), self.ledger, self.warn)
        self.run()

    def warn(self, message):
        message.encode()  # as the logger does
        self.warnings.append(message)

    def run(self):
        """Look at the file, and take it when it has rested."""
        for _ in range(3):
            self.now += 3.0
            self.sync.poll(self.now)

    def pick(self, tray):
        self.ledger.pick(tray)
        self.sync.ledger_changed()
        self.run()

    def read(self):
        return json.loads(self.path.read_text())

    def save(self, document):
        self.path.write_text(document if isinstance(document, str) else json.dumps(document))
        self.run()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr('cell_inventory.stock_file_sync._observer', lambda *_: None)
    return Site(tmp_path / 'inventory.json')


def test_a_program_that_saves_an_old_copy_does_not_undo_a_pick(site):
    copy = site.read()
    site.pick(2)
    copy['current']['A'][3] = 7
    site.save(copy)
    assert site.ledger.booked == [{('A', 4): 7}]
    assert site.read()['current']['A'] == [5, 4, 5, 7]
    assert 'older copy: the counts of A tray 2 stay' in site.warnings[0]


def test_a_correction_of_the_newest_content_is_booked(site):
    site.pick(2)
    document = site.read()
    document['current']['A'][1] = 5
    site.save(document)
    assert site.ledger.booked == [{('A', 2): 5}] and site.warnings == []


@pytest.mark.parametrize('unwritten', [0, 2], ids=['in step', 'picks that the file has not got'])
def test_a_copy_from_before_a_restart_does_not_undo_a_pick(site, unwritten):
    site.pick(1)
    copy = site.read()
    site.pick(2)
    for _ in range(unwritten):  # the process was killed between the booking and the file
        site.ledger.pick(3)
    site.start()
    copy['current']['A'][3] = 7
    site.save(copy)
    assert site.ledger.booked == [{('A', 4): 7}]
    assert site.read()['current']['A'] == [4, 4, 5 - unwritten, 7]


def test_a_copy_older_than_the_entries_of_the_ledger_is_a_change_of_its_trays(site):
    copy = site.read()
    site.pick(2)
    site.ledger.before.clear()
    site.start()
    copy['current']['A'][3] = 7
    site.save(copy)
    assert site.ledger.booked == [{('A', 2): 5, ('A', 4): 7}]


@pytest.mark.parametrize(
    'text',
    [
        '{"current": {"A": [1, 2, 3, 4]},\n"job": {"part_number": "\\ud800"}}',
        '{"current":\n{"\\ud800": [1, 2, 3, 4]}}',
        '{"current": {"A": [1, 2, 3, 4]},\n"job": {"quantity": 1e999}}',
        '{"current": {"A": [1, 2, 3, 4]},\n"job": {"quantity": NaN}}',
        '{"current": {"A": [1, 2, 3, 4]},\n"x": ' + '[' * 500 + ']' * 500 + '}',
        '{"current":\n{"A\\u0000\\u001b[2J": [1, 2, 3, 4]}}',
        '{"current":\n{"' + 'A' * 100_000 + '": [1, 2, 3, 4]}}',
    ],
    ids=['surrogate in job', 'surrogate as part', 'infinite', 'NaN', 'deep', 'control characters', 'long name'],
)
@pytest.mark.parametrize('running', [True, False])
def test_a_content_that_cannot_be_written_again_is_reported_by_line_and_left(site, text, running):
    if not running:
        site.sync.close()
    site.path.write_text(text)
    site.run() if running else site.start()
    site.pick(1)
    assert site.path.read_text() == text and site.ledger.booked == []
    (warning,) = site.warnings
    assert 'line 2: ' in warning and warning.isprintable() and len(warning) < 500
    assert site.sync.error == warning
    site.save('{"A": [1, 2, 3, 4]}')
    assert site.sync.error == '' and site.ledger.stock['A', 1] == 1


def test_an_unforeseen_error_is_reported_and_does_not_end_the_node(site, monkeypatch):
    def fail(*_):
        raise TypeError('unforeseen \ud800')

    with monkeypatch.context() as broken:
        broken.setattr('cell_inventory.stock_file_sync.parse_stock', fail)
        site.save({'A': [1, 2, 3, 4]})
        assert 'TypeError unforeseen \\ud800. The file is left as it is' in site.sync.error
    site.save({'A': [2, 2, 3, 4]})
    with monkeypatch.context() as broken:
        broken.setattr('cell_inventory.stock_file_sync.write_stock', fail)
        site.pick(1)
        assert 'unforeseen' in site.sync.error and site.read() == {'A': [2, 2, 3, 4]}
        site.sync.close()
    site.run()
    assert site.sync.error == '' and site.read() == {'A': [1, 2, 3, 4]}


def test_default_keeps_its_form_and_the_trays_that_it_does_not_name(site):
    site.save('{"default": {"A": {"tray1": 3}}, "current": {"A": {"tray1": 5, "tray2": 5}}, "job": {"part_number": ""}}')
    site.pick(1)
    current = {'tray1': 4, 'tray2': 5, 'tray3': 5, 'tray4': 5}
    assert site.read() == {'default': {'A': {'tray1': 3}}, 'current': {'A': current}, 'job': {'part_number': ''}}
    site.sync.close()
    site.start()
    assert site.sync.defaults == {('A', 1): 3}, 'a reset takes the others from the catalogue'


def test_a_new_file_has_the_cleared_job_of_the_replaced_system(site):
    assert site.read()['job'] == {'part_number': '—', 'quantity': 0}
