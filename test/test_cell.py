"""The whole cell, launched as a user launches it, against the simulated world."""

import contextlib
import json
import os
import socket
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from cell_bringup.client import CellError
from cell_common.testing import FULL, wait_until

from cell_interfaces.msg import BagRecord, JobState, MatchResult, ScaleReading
from cell_interfaces.srv import ControlJob, GetCrop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PART = 'EM1-2U1'
CONFIG = Path(__file__).resolve().parents[1] / 'config'
PAUSED = (JobState.PAUSED, JobState.DONE, JobState.FAILED)


def placed(cell):
    return [entry for entry in cell.truth() if entry['event'] == 'placed']


def finish(cell, job_id, timeout=120.0):
    """Resume after every pause, as the operator does after a look into the cell; return the finished job."""
    deadline = time.monotonic() + timeout
    while True:
        job = cell.wait_job(job_id, PAUSED, deadline - time.monotonic())
        if job.state != JobState.PAUSED:
            return job
        seen = job.stamp
        if job.unresolved_trigger:
            cell.client.control(look_into_the_cell(cell, job))
        cell.client.control(ControlJob.Request.RESUME)
        wait_until(lambda before=seen: cell.client.job.stamp != before, 10, 'the job resumes')


LINES = 20
MOVEMENTS = ('picked', 'held_up', 'placed', 'rejected', 'taken_away')
LONGEST_MOVEMENT_S = 3.0


def look_into_the_cell(cell, job):
    """Wait while the arm may still move, then return how the operator resolves the last movement."""
    done = {JobState.STEP_PICK: 'held_up', JobState.STEP_PLACE: 'placed', JobState.STEP_REJECT: 'rejected'}[job.step]

    def last():
        return [entry['event'] for entry in cell.truth() if entry['event'] in MOVEMENTS][-1:]

    with contextlib.suppress(CellError):
        cell.client.wait_for(lambda: last() == [done], LONGEST_MOVEMENT_S, 'end the movement')
    return ControlJob.Request.RESOLVE_DONE if last() == [done] else ControlJob.Request.RESOLVE_NOT_DONE


def out_of_trays(cell, before):
    return before - cell.client.stock_of(PART)


def test_a_job_runs_to_its_end_and_the_ledger_is_exact(launch_cell):
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0)
    before = wait_until(lambda: cell.client.stock_of(PART))
    job = finish(cell, cell.start_job(PART, 3))
    assert (job.state, job.placed, job.rejected) == (JobState.DONE, 3, 0)
    assert len(placed(cell)) == 3
    wait_until(lambda: out_of_trays(cell, before) == 3)
    assert 0 < job.median_read_time < 5


def test_bags_are_weighed_against_the_active_job(launch_cell):
    cell = launch_cell()
    job_id = cell.client.start_weigh_job('ACME', 'A', '1.10', 3)
    wait_until(
        lambda: (
            cell.client.weigh_jobs
            and any(job.weigh_job_id == job_id and job.bags_completed == 3 for job in cell.client.weigh_jobs.jobs)
        ),
        60,
    )
    bags = [bag for bag in cell.client.bags if bag.weigh_job_id == job_id]
    assert [bag.bag_number for bag in bags] == list(range(1, len(bags) + 1))
    assert sum(bag.outcome == BagRecord.IN_TOLERANCE for bag in bags) == 3


def test_a_wrong_part_is_never_placed(launch_cell):
    cell = launch_cell(wrong_share=0.3, unreadable_share=0.1)
    before = wait_until(lambda: cell.client.stock_of(PART))
    quantity = 20 if FULL else 10
    job = finish(cell, cell.start_job(PART, quantity), 240)
    assert (job.state, job.placed) == (JobState.DONE, quantity)
    assert [entry['part_number'] for entry in placed(cell)] == [PART] * quantity
    assert job.rejected >= 3
    wait_until(lambda: out_of_trays(cell, before) == quantity + job.rejected)
    kept = Path(cell.arguments['state_dir']) / 'kept_frames'
    wait_until(lambda: len(list(kept.glob('*.jpg'))) == job.rejected, 10, 'the picture of each rejected piece is kept')
    assert {json.loads(record.read_text())['ordered'] for record in kept.glob('2*.json')} == {PART}


def test_parts_with_the_same_print_are_never_placed(launch_cell):
    cell = launch_cell(catalogue_file=CONFIG / 'parts_with_twins.yaml', wrong_share=0.0, unreadable_share=0.0)
    job_id = cell.start_job(PART, 2)
    job = cell.wait_job(job_id, PAUSED)
    assert job.state == JobState.PAUSED
    assert job.rejected == 3
    assert not placed(cell)
    assert 'EM1-2UI' in job.last_match.reason


def test_parts_with_the_same_print_are_distinguished_by_codes(launch_cell, tmp_path):
    import yaml

    catalogue = yaml.safe_load((CONFIG / 'parts_with_twins.yaml').read_text())
    for part in catalogue['parts'][:2]:
        part['code'] = part['part_number']
    (tmp_path / 'coded.yaml').write_text(yaml.safe_dump(catalogue))
    settings = tmp_path / 'codes.yaml'
    codes = '\n/**/ocr:\n  ros__parameters:\n    codes: [DataMatrix]\n'
    settings.write_text((CONFIG / 'cell.yaml').read_text() + codes)
    cell = launch_cell(catalogue_file=tmp_path / 'coded.yaml', params_file=settings, wrong_share=0.0, unreadable_share=0.0)
    job = finish(cell, cell.start_job(PART, 3))
    assert (job.state, job.placed, job.rejected) == (JobState.DONE, 3, 0)
    assert [entry['part_number'] for entry in placed(cell)] == [PART] * 3
    match = job.last_match
    crop = GetCrop.Request(request_id=match.request_id, polygon=match.polygon)
    assert bytes(cell.client.call(GetCrop, 'ocr/get_crop', crop).crop.data[:2]) == b'\xff\xd8'
    assert match.decided_by == MatchResult.BY_CODE


@pytest.mark.parametrize('victim', ['inventory', 'ocr', 'robot'])
def test_a_killed_node_comes_back_and_the_ledger_stays_exact(launch_cell, victim):
    cell = launch_cell(wrong_share=0.2, unreadable_share=0.0, time_scale=4.0)
    before = wait_until(lambda: cell.client.stock_of(PART))
    job_id = cell.start_job(PART, 3)
    wait_until(lambda: cell.client.job.placed >= 1, 30)
    first = cell.kill(victim)
    wait_until(lambda: _pid_or_none(cell, victim) not in (None, first), 20, f'{victim} is started again')
    cell.wait_ready()
    job = finish(cell, job_id, 120)
    assert (job.state, job.placed) == (JobState.DONE, 3)
    counts = Counter(entry['event'] for entry in cell.truth())
    assert counts['placed'] == 3
    assert [entry['part_number'] for entry in placed(cell)] == [PART] * 3
    wait_until(lambda: out_of_trays(cell, before) == counts['placed'] + counts['rejected'], 10)


def _pid_or_none(cell, executable):
    try:
        return cell.pid_of(executable)
    except AssertionError:
        return None


def test_a_job_survives_the_death_of_the_coordinator_paused(launch_cell):
    cell = launch_cell(wrong_share=0.0, unreadable_share=0.0, time_scale=4.0)
    before = wait_until(lambda: cell.client.stock_of(PART))
    job_id = cell.start_job(PART, 4)
    wait_until(lambda: cell.client.job.placed >= 1, 30)
    cell.kill('coordinator')
    job = cell.wait_job(job_id, (JobState.PAUSED,), 30)
    assert job.reason
    cell.wait_ready()
    job = finish(cell, job_id)
    assert (job.state, job.placed) == (JobState.DONE, 4)
    counts = Counter(entry['event'] for entry in cell.truth())
    assert counts['placed'] == 4
    wait_until(lambda: out_of_trays(cell, before) == counts['placed'] + counts['rejected'])


@pytest.mark.parametrize(
    ('part', 'quantity', 'message'), [('NO-SUCH-PART', 1, 'NO-SUCH-PART'), (PART, 0, '1'), (PART, -3, '1'), (PART, 5000, '48')]
)
def test_an_impossible_job_is_refused_with_the_remedy(shared_cell, part, quantity, message):
    with pytest.raises(CellError, match=message):
        shared_cell.client.set_job(part, quantity)
    assert shared_cell.process.poll() is None


def test_a_malformed_scale_line_is_an_event_without_a_weight(shared_cell):
    readings: list[ScaleReading] = []
    shared_cell.client.node.create_subscription(ScaleReading, 'weighing/weight', readings.append, 100)
    with socket.create_connection(('127.0.0.1', shared_cell.ports['scale_port'])) as scale:
        # the first lines may precede the discovery of the subscription
        for _ in range(LINES):
            scale.sendall(b'9,nan kg\r\n')
            with contextlib.suppress(CellError):
                shared_cell.client.wait_for(lambda: malformed(readings), 1.0, 'report the line')
                break
    reading = malformed(readings)[0]
    assert reading.weight == ''
    assert reading.message
    assert not [bag for bag in shared_cell.client.bags if bag.reading_id == reading.reading_id]


def malformed(readings):
    return [reading for reading in readings if reading.status == ScaleReading.MALFORMED]


def test_the_page_is_served(shared_cell):
    page = requests.get(f'http://127.0.0.1:{shared_cell.ports["web_port"]}/', timeout=10)
    assert page.status_code == 200
    assert '<div id="app"' in page.text


def test_a_port_in_use_is_reported_and_the_cell_stays_up(launch_cell):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        cell = launch_cell(scale_port=port, simulation='true')
        wait_until(lambda: any(str(port) in line and 'in use' in line.lower() for line in cell.log_text().splitlines()), 20)
        cell.wait_ready()
    wait_until(
        lambda: any(s.name == 'scale_bridge' and s.level <= 1 for s in cell.client.status.subsystems),
        30,
        'the freed port is used',
    )


def test_an_unreadable_parameter_file_says_what_is_wrong(launch_cell, tmp_path):
    bad = tmp_path / 'bad.yaml'
    bad.write_text('/**/robot:\n  ros__parameters:\n    ack_timeout: soon\n')
    cell = launch_cell(wait=False, params_file=bad)
    wait_until(lambda: 'ack_timeout' in cell.log_text() and 'Correct it in the parameter file' in cell.log_text(), 30)
    wait_until(
        lambda: (
            cell.client.status is not None and any(s.name == 'robot' and s.level > 1 for s in cell.client.status.subsystems)
        ),
        30,
    )
    assert cell.process.poll() is None


def test_an_interrupt_ends_every_process(launch_cell):
    cell = launch_cell()
    assert len(cell.processes()) >= 13
    code = cell.stop()
    assert not cell.left_behind
    assert code == 0


PHOTOS = os.environ.get('CELL_PHOTOS', '')


@pytest.mark.skipif(not PHOTOS, reason='CELL_PHOTOS names no folder of photographs')
def test_on_real_photographs_no_wrong_part_is_placed(launch_cell, tmp_path):
    import yaml
    from cell_bringup.demo import photo_catalogue

    catalogue = tmp_path / 'parts.yaml'
    catalogue.write_text(yaml.safe_dump(photo_catalogue(Path(PHOTOS))))
    cell = launch_cell(scene='photos', folder=PHOTOS, catalogue_file=catalogue, wrong_share=0.3)
    for part in ('74LS00', '74LS192', '74LS85'):
        finish(cell, cell.start_job(part, 4), 120)
        assert {entry['part_number'] for entry in placed(cell)[-4:]} == {part}
