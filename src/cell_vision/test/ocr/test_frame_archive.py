"""The test set that grows: frames of rejects and corrections, with their truth, in a folder that never grows too large."""

from __future__ import annotations

import json

import pytest
from cell_vision.ocr.frame_archive import CapturedFrame, FrameArchive, FrameLabel, UnknownReadingError

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def rejected(request_id, part='EM1-2U1', verdict='MISMATCH EM1-2U4'):
    return FrameLabel(request_id, 'REJECT', part, verdict)


def corrected(request_id, part):
    return FrameLabel(request_id, 'CORRECTION', part, 'as the page showed it', 'maria')


def frame(size=1000):
    return CapturedFrame(b'\xff\xd8' + bytes(size), {'read': ['EM1-2U4'], 'engine': 'test'})


def truth(folder):
    return {entry['file']: entry['part_number'] for entry in json.loads((folder / 'truth.json').read_text())}


def record(folder, name):
    return json.loads((folder / name).with_suffix('.json').read_text())


@pytest.fixture
def kept(tmp_path):
    return FrameArchive(tmp_path / 'kept', 10_000)


def test_a_reject_is_kept_without_a_truth_that_no_operator_gave(kept, tmp_path):
    name = kept.store(rejected('a-1'), frame(), START)
    folder = tmp_path / 'kept'
    assert (folder / name).read_bytes() == frame().jpeg
    stored = record(folder, name)
    known = [stored[key] for key in ('kind', 'ordered', 'verdict', 'part_number')]
    assert known == ['REJECT', 'EM1-2U1', 'MISMATCH EM1-2U4', None]
    assert stored['read'] == ['EM1-2U4'] and not truth(folder)


def test_a_correction_gives_the_kept_frame_its_truth_even_when_memory_has_forgotten_it(kept, tmp_path):
    name = kept.store(rejected('a-1'), frame(), START)
    assert kept.store(corrected('a-1', 'EM1-2U4'), None, START + SECOND) == name
    folder = tmp_path / 'kept'
    assert truth(folder) == {name: 'EM1-2U4'}
    stored = record(folder, name)
    assert (stored['corrected_by'], stored['verdict']) == ('maria', 'MISMATCH EM1-2U4')
    kept.store(corrected('a-1', 'EM2-2U1'), None, START + 2 * SECOND)
    assert truth(folder) == {name: 'EM2-2U1'} and len(list(folder.glob('*.jpg'))) == 1


def test_the_record_of_a_frame_names_job_and_piece_also_after_a_correction_that_does_not_know_them(kept, tmp_path):
    name = kept.store(FrameLabel('a-1', 'REJECT', 'EM1-2U1', 'MISMATCH', job_id='job-7', piece=3), frame(), START)
    kept.store(corrected('a-1', 'EM1-2U4'), None, START + SECOND)
    stored = record(tmp_path / 'kept', name)
    assert (stored['job_id'], stored['piece'], stored['part_number']) == ('job-7', 3, 'EM1-2U4')


def test_a_correction_is_not_overwritten_by_a_later_reject(kept, tmp_path):
    name = kept.store(corrected('a-1', 'EM1-2U4'), frame(), START)
    kept.store(rejected('a-1'), frame(), START + SECOND)
    assert truth(tmp_path / 'kept') == {name: 'EM1-2U4'}
    assert record(tmp_path / 'kept', name)['kind'] == 'CORRECTION'


def test_a_piece_without_a_readable_number_is_known_but_has_no_part(kept, tmp_path):
    name = kept.store(corrected('a-1', ''), frame(), START)
    assert record(tmp_path / 'kept', name)['part_number'] == '' and not truth(tmp_path / 'kept')


def test_the_frame_of_an_unknown_reading_is_refused(kept, tmp_path):
    with pytest.raises(UnknownReadingError):
        kept.store(corrected('never seen', 'EM1-2U4'), None, START)
    assert not list((tmp_path / 'kept').glob('*'))


def test_the_oldest_frames_go_when_the_folder_is_full(kept, tmp_path):
    names = [kept.store(corrected(f'r-{n}', 'EM1-2U4'), frame(2500), START + n * SECOND) for n in range(6)]
    left = sorted(file.name for file in (tmp_path / 'kept').glob('*.jpg'))
    assert left == names[-3:] and set(truth(tmp_path / 'kept')) == set(left)
    assert sum(file.stat().st_size for file in (tmp_path / 'kept').iterdir()) <= 10_000
    assert len(list((tmp_path / 'kept').glob('*.json'))) == 4, 'records and truth.json'


def test_a_request_id_cannot_name_a_place_outside_the_folder(kept, tmp_path):
    name = kept.store(rejected('../../etc/passwd'), frame(), START)
    assert '/' not in name and (tmp_path / 'kept' / name).is_file()
    assert kept.store(corrected('../../etc/passwd', 'EM1-2U4'), None, START) == name


def test_a_folder_that_cannot_be_written_leaves_nothing_half_done(tmp_path):
    (tmp_path / 'kept').write_text('a file stands where the folder should be')
    with pytest.raises(OSError, match=r'exists|directory'):
        FrameArchive(tmp_path / 'kept', 10_000).store(rejected('a-1'), frame(), START)


def test_a_full_disk_leaves_no_part_of_the_frame(kept, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='No space'):
        kept.store(rejected('a-1'), frame(), START)
    assert not list((tmp_path / 'kept').iterdir())


def test_what_a_power_cut_left_is_removed_and_a_damaged_truth_written_again(kept, tmp_path):
    folder = tmp_path / 'kept'
    folder.mkdir()
    (folder / '.20230101T000000.000000_x.jpg.part').write_bytes(b'half')
    (folder / 'truth.json').write_text('[{"file": "half')
    name = kept.store(corrected('a-1', 'EM1-2U4'), frame(), START)
    assert truth(folder) == {name: 'EM1-2U4'} and not list(folder.glob('.*'))


def test_the_folder_is_what_the_bench_measures(kept, tmp_path):
    from cell_sim.camera.photo_scene import load_photo_set

    kept.store(corrected('a-1', 'EM1-2U4'), frame(), START)
    assert list(load_photo_set(tmp_path / 'kept').files) == ['EM1-2U4']
