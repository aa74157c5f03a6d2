import io
import json
import re
import time

import pytest
from cell_bringup.cli import parser, run_command
from cell_coordinator.testing import JobState, store_job
from rich.console import Console


@pytest.fixture
def url(tmp_path):
    url = f'sqlite:///{tmp_path}/cell.db'
    store_job(url, time.time_ns(), [(JobState.RUNNING, 100), (JobState.WAITING_RELOAD, 50)])
    return url


def run(url, *arguments):
    out = io.StringIO()
    options = parser().parse_args(['figures', '--database-url', url, *arguments])
    return run_command(options, Console(file=out, width=200)), out.getvalue()


def test_figures_are_shown_with_the_stops(url):
    code, said = run(url, '--shifts', '00:00,12:00')
    assert code == 0 and '%' in said and re.search(r'1 x waits for a reload, [5-9]\d s', said)


def test_figures_for_machines(url, tmp_path):
    code, said = run(url, '--json', '--since', '1h')
    assert code == 0 and json.loads(said)['total']['availability'] == pytest.approx(0.5, abs=0.05)
    code, _ = run(url, '--csv', str(tmp_path / 'f.csv'))
    assert code == 0 and (tmp_path / 'f.csv').read_text().startswith('kind,name')


def test_a_wrong_shift_is_named(url):
    code, said = run(url, '--shifts', '6 am')
    assert code == 1 and 'HH:MM' in said
