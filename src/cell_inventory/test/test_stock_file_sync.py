import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cell_common.testing import wait_until
from cell_inventory.rules import BookingRejected
from cell_inventory.stock_file import StockFileError, capacities_of
from cell_inventory.stock_file_sync import StockFileSync, SyncSettings

pytestmark = pytest.mark.slow

PART, OTHER = 'EM1-2U1', 'G8NB-17SR'
START = {(PART, 1): 3, (PART, 2): 2, (PART, 3): 0, (PART, 4): 0, **{(OTHER, tray): 5 for tray in (1, 2, 3, 4)}}
JOB = {'part_number': PART, 'quantity': 2}


class FakeLedger:
    def __init__(self):
        self.stock = dict(START)
        self.booked = []
        self.agreed = {}
        self.broken = False

    def counts(self):
        return self.stock

    def book_changes(self, counts, operator_id, reason):
        if self.broken:
            raise BookingRejected(103, 'the database is full')
        self.booked.append((counts, operator_id, reason))
        self.stock.update(counts)

    def changes(self):
        return []

    def agreed_counts(self, path):
        return self.agreed.get(path, {})

    def save_agreed_counts(self, path, counts):
        self.agreed[path] = dict(counts)


class Synced:
    """A file next to a fake ledger."""

    def __init__(self, path, catalogue, both=True):
        self.path, self.catalogue, self.both = path, catalogue, both
        self.ledger = FakeLedger()
        self.warnings = []
        self.sync = None

    def start(self):
        settings = SyncSettings(self.path, self.both, capacities_of(self.catalogue), START)
        self.sync = StockFileSync(settings, self.ledger, self.warnings.append)
        self.poll()
        return self

    def stop(self):
        if self.sync:
            self.sync.close()

    def poll(self):
        self.sync.poll(time.monotonic())

    def until(self, condition):
        def holds():
            self.poll()
            return condition()

        wait_until(holds)

    def book(self, count, key=(PART, 1)):
        self.ledger.stock[key] = count
        self.sync.ledger_changed()

    def document(self):
        return json.loads(self.path.read_text())

    def current(self, part=PART):
        return self.document()['current'][part]

    def edit(self, part=PART, tray=1, count=0, **members):
        """Do what another program does: read, change, write in place."""
        document = {**self.document(), **members}
        document['current'][part][tray - 1] = count
        self.path.write_text(json.dumps(document))


@pytest.fixture
def synced(tmp_path, catalogue):
    folder = tmp_path / 'site'
    folder.mkdir()
    synced = Synced(folder / 'inventory.json', catalogue)
    yield synced
    synced.stop()
    folder.chmod(0o755)


def full(**counts):
    current = {PART: [3, 2, 0, 0], OTHER: [5, 5, 5, 5], **counts}
    return json.dumps({'default': {PART: [9, 9, 0, 0]}, 'current': current, 'job': JOB})


def test_a_new_file_has_default_current_and_job(synced):
    synced.start()
    assert synced.document() == {
        'default': {PART: [3, 2, 0, 0], OTHER: [5, 5, 5, 5]},
        'current': {PART: [3, 2, 0, 0], OTHER: [5, 5, 5, 5]},
        'job': {'part_number': '—', 'quantity': 0},
    }
    assert synced.ledger.booked == []


def test_the_first_file_of_another_system_is_booked_with_who_and_why(synced):
    synced.path.write_text(full(**{PART: [1, 2, 0, 4]}))
    synced.start()
    ((counts, who, why),) = synced.ledger.booked
    assert counts == {(PART, 1): 1, (PART, 4): 4}
    assert who == 'file inventory.json' and why.startswith('inventory.json was changed by another program')
    assert synced.sync.defaults == {(PART, 1): 9, (PART, 2): 9, (PART, 3): 0, (PART, 4): 0}


def test_a_booking_is_written_with_default_and_job_kept_and_is_not_booked_again(synced):
    synced.path.write_text(full())
    synced.start()
    synced.book(2)
    synced.until(lambda: synced.current()[0] == 2)
    assert (synced.document()['job'], synced.document()['default']) == (JOB, {PART: [9, 9, 0, 0]})
    inode = synced.path.stat().st_ino
    synced.edit(OTHER, 4, 1)
    synced.until(lambda: synced.ledger.booked)
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(OTHER, 4): 1}]
    assert synced.path.stat().st_ino == inode, 'a file in step is not written again'


def test_a_change_in_place_and_one_by_rename_are_booked(synced):
    synced.start()
    synced.edit(count=7)
    synced.until(lambda: synced.ledger.stock[PART, 1] == 7)
    other = synced.path.with_name('new.json')
    other.write_text(synced.path.read_text().replace('[7,', '[8,'))
    other.replace(synced.path)
    synced.until(lambda: synced.ledger.stock[PART, 1] == 8)
    assert len(synced.ledger.booked) == 2


def test_two_changes_in_quick_succession_end_in_the_last_one(synced):
    synced.start()
    synced.edit(count=7)
    synced.poll()
    synced.edit(count=6)
    synced.edit(OTHER, 1, 0)
    synced.until(lambda: (synced.ledger.stock[PART, 1], synced.ledger.stock[OTHER, 1]) == (6, 0))
    synced.until(lambda: synced.current() == [6, 2, 0, 0])


def test_editors_that_save_by_renaming_are_booked(synced):
    """vim moves the old file away and writes a new one; others write a copy beside it and rename that, with a mark or CRLF."""
    synced.start()
    text = synced.path.read_text()
    backup = synced.path.with_name('inventory.json~')
    synced.path.rename(backup)
    synced.path.write_text(text.replace('[3,', '[7,'))
    backup.unlink()
    synced.until(lambda: synced.ledger.stock[PART, 1] == 7)
    swap = synced.path.with_name('.inventory.json.swp')
    swap.write_bytes(b'\xef\xbb\xbf' + synced.path.read_text().replace('[7,', '[6,').replace('\n', '\r\n').encode())
    swap.replace(synced.path)
    synced.until(lambda: synced.ledger.stock[PART, 1] == 6)
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(PART, 1): 7}, {(PART, 1): 6}]
    assert synced.warnings == []


def test_a_file_that_never_rests_is_booked_and_written_all_the_same(synced):
    """Some programs write the time into it ten times a second."""
    synced.start()
    now = time.monotonic()
    for step in range(8):
        synced.edit(count=7, updated=step)
        synced.sync.poll(now + 2.1 * step)  # looked at without a report, too
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(PART, 1): 7}]


def test_a_file_that_is_mounted_on_its_own_is_named(synced, monkeypatch):
    synced.start()
    monkeypatch.setattr('pathlib.Path.replace', lambda *_: (_ for _ in ()).throw(OSError(16, 'Device or resource busy')))
    synced.book(1)
    synced.until(lambda: 'mounted into this container on its own: mount its folder' in synced.sync.error)
    assert list(synced.path.parent.iterdir()) == [synced.path]


def test_another_tray_keeps_a_booking_that_the_other_program_had_not_seen(synced):
    synced.start()
    stale = synced.document()
    synced.ledger.stock[PART, 1] = 2  # a piece is placed, not written yet
    stale['current'][OTHER][0] = 1
    synced.path.write_text(json.dumps(stale))
    synced.sync.ledger_changed()
    synced.until(lambda: synced.ledger.booked)
    synced.until(lambda: synced.current() == [2, 2, 0, 0])
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(OTHER, 1): 1}]


SLOW_WRITER = """
import pathlib, sys
path, text = pathlib.Path(sys.argv[1]), sys.argv[2]
with path.open('w') as file:
    file.write(text[: len(text) // 2])
    file.flush()
    print('half', flush=True)
    sys.stdin.readline()
    file.write(text[len(text) // 2 :])
"""


def test_a_file_that_is_half_written_is_reported_left_alone_and_booked_when_it_is_whole(synced):
    synced.start()
    text = full(**{PART: [1, 2, 0, 0]})
    command = [sys.executable, '-c', SLOW_WRITER, str(synced.path), text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == 'half\n'
        synced.book(0, (PART, 2))
        synced.until(lambda: synced.sync.error)
        assert 'line 1: not JSON' in synced.sync.error and 'left as it is' in synced.sync.error
        assert synced.path.read_text() == text[: len(text) // 2]
        writer.stdin.write('\n')
        writer.stdin.close()
    synced.until(lambda: synced.ledger.booked)
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(PART, 1): 1}], 'tray 2 is booked newer in the ledger'
    synced.until(lambda: synced.current() == [1, 0, 0, 0])
    assert synced.sync.error == '' and len(synced.warnings) == 1


@pytest.mark.parametrize(
    ('text', 'cause'),
    [
        (full(**{PART: [1, 2, 0, 99]}), 'tray4 is 99: give a whole number of 0 to 10'),
        (full(NOPE=[0, 0, 0, 0]), 'NOPE is not in the catalogue'),
        ('', 'the file is empty'),
        (b'{"a\xff": 1}', 'not UTF-8'),
    ],
)
def test_an_invalid_file_books_nothing_and_stays(synced, text, cause):
    synced.start()
    content = text if isinstance(text, bytes) else text.encode()
    synced.path.write_bytes(content)
    synced.until(lambda: cause in synced.sync.error)
    synced.book(1)
    synced.poll()
    assert synced.path.read_bytes() == content and synced.ledger.booked == []
    synced.path.write_text(full())
    synced.until(lambda: synced.sync.error == '')


def test_a_deleted_file_is_written_again_and_books_nothing(synced):
    synced.path.write_text(full())
    synced.start()
    synced.path.unlink()
    synced.until(synced.path.exists)
    assert synced.document() == json.loads(full()) and synced.ledger.booked == []


def test_a_change_made_while_the_cell_was_off_is_booked_and_an_old_count_is_not(synced):
    synced.start()
    synced.stop()
    synced.ledger.stock[PART, 1] = 1  # booked, but the power failed before it was written
    synced.edit(OTHER, 3, 0)
    synced.start()
    assert [counts for counts, _, _ in synced.ledger.booked] == [{(OTHER, 3): 0}]
    assert synced.current() == [1, 2, 0, 0]


def test_a_failed_booking_is_tried_again(synced):
    synced.start()
    synced.ledger.broken = True
    synced.edit(count=9)
    synced.until(lambda: 'the database is full' in synced.sync.error)
    synced.ledger.broken = False
    synced.until(lambda: synced.ledger.stock[PART, 1] == 9)
    assert synced.current() == [9, 2, 0, 0] and synced.sync.error == ''


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_that_may_not_be_written_is_reported_by_permissions(synced):
    synced.start()
    synced.path.parent.chmod(0o555)
    synced.book(1)
    synced.until(lambda: 'Permission denied' in synced.sync.error)


def test_a_folder_that_cannot_be_written_is_reported_until_it_can(synced, monkeypatch):
    synced.start()
    denied = [True]
    mkstemp = __import__('tempfile').mkstemp

    def refuse(**options):
        if denied:
            raise PermissionError(13, 'Permission denied')
        return mkstemp(**options)

    monkeypatch.setattr('tempfile.mkstemp', refuse)
    synced.book(1)
    synced.until(lambda: 'cannot be written, Permission denied: check the disk' in synced.sync.error)
    assert synced.current() == [3, 2, 0, 0] and len(synced.warnings) == 1
    denied.clear()
    synced.until(lambda: synced.current() == [1, 2, 0, 0])
    assert synced.sync.error == ''


def test_an_export_overwrites_counts_of_others_and_keeps_the_job(synced):
    synced.both = False
    synced.start()
    synced.edit(count=9, job=JOB)
    synced.until(lambda: synced.current() == [3, 2, 0, 0] and synced.document()['job'] == JOB)
    assert synced.ledger.booked == []


def test_the_link_to_a_file_stays_a_link_and_leftovers_go(synced, tmp_path):
    target = tmp_path / 'target.json'
    target.write_text(full())
    target.chmod(0o664)
    synced.path.symlink_to(target)
    leftover = tmp_path / '.target.json.x1.part'
    leftover.write_text('torn')
    synced.start()
    synced.book(0)
    synced.until(lambda: json.loads(target.read_text())['current'][PART][0] == 0)
    assert synced.path.is_symlink() and stat.S_IMODE(target.stat().st_mode) == 0o664
    assert not leftover.exists()


def test_a_missing_folder_is_named(catalogue, tmp_path):
    with pytest.raises(StockFileError, match='does not exist: create it'):
        Synced(Path(tmp_path / 'none' / 'inventory.json'), catalogue).start()
