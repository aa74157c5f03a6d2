import io
import time

import pytest
from cell_bringup.cli import parser
from cell_bringup.logs import LogLine, parse_lines, parse_since, show_logs
from rich.console import Console

NOW = 1_796_082_761


def write(folder, name, *lines):
    (folder / name).write_text(''.join(f'{line}\n' for line in lines))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    monkeypatch.setattr(time, 'time', lambda: NOW + 60.0)
    write(
        tmp_path,
        'python_1.log',
        f'[INFO] [{NOW}.000000000] [cell.robot]: connected',
        f'[ERROR] [{NOW + 2}.500000000] [cell.robot]: lost',
        'Traceback: [1]',
    )
    write(tmp_path, 'python_2.log', f'[WARN] [{NOW + 1}.000000000] [cell.camera]: dark')
    write(tmp_path, 'python_3.log', f'[WARN] [{NOW + 1}.000000000] [cell2.camera]: other cell', 'no head')
    return tmp_path


def shown(*words):
    out = io.StringIO()
    code = show_logs(parser().parse_args(['logs', *words]), Console(file=out, width=200))
    return code, out.getvalue().splitlines()


def test_lines_of_all_nodes_are_in_the_order_of_their_time(folder):
    code, lines = shown()
    assert code == 0 and [line.split(' ', 2)[2].lstrip() for line in lines[:3]] == [
        'INFO  robot: connected',
        'WARN  camera: dark',
        'ERROR robot: lost',
    ]
    assert lines[3] == 'Traceback: [1]' and len(lines) == 4


def test_one_node_one_cell_and_a_time(folder):
    assert [line.split()[-1] for line in shown('camera')[1]] == ['dark']
    assert [line.split()[-1] for line in shown('--since', '58s')[1]][:1] == ['lost']
    assert 'no lines of inventory' in shown('inventory')[1][0]
    assert len(shown('-n', '1')[1]) == 2  # one entry of two lines


def test_a_wrong_time_is_refused(folder):
    code, lines = shown('--since', 'yesterday')
    assert code == 2 and 'use an age' in lines[0]


def test_times():
    assert parse_since('10min', 1000.0) == 400.0
    assert parse_since('1d', 86400.0) == 0.0
    assert parse_since('2026-11-30T14:03', 0.0) == time.mktime((2026, 11, 30, 14, 3, 0, 0, 0, -1))


def test_text_before_the_first_head_is_no_entry():
    assert parse_lines('garbage\n[INFO] [1.500000000] [a]: b\n') == [LogLine(1.5, 'INFO', 'a', 'b')]
