from pathlib import Path

import pytest
from cell_bringup.state_folder import find_state, running_states

LAUNCH = ['/venv/bin/python', '/venv/bin/ros2', 'launch', 'cell_bringup', 'cell.launch.py']


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / 'home').mkdir()
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'home'


@pytest.fixture
def start(tmp_path, home):
    """Add a process to a process table; return the table."""

    def start(number, words, **environment):
        process = tmp_path / 'proc' / str(number)
        process.mkdir(parents=True)
        (process / 'cmdline').write_bytes(b'\0'.join(word.encode() for word in words) + b'\0')
        environment = {'HOME': '/home/operator', **environment}
        (process / 'environ').write_bytes(b'\0'.join(f'{k}={v}'.encode() for k, v in environment.items()) + b'\0')
        (process / 'cwd').symlink_to(tmp_path)
        return tmp_path / 'proc'

    return start


@pytest.mark.parametrize(
    ('arguments', 'folder'),
    [
        (['state_dir:=/data/zelle ä'], '/data/zelle ä'),
        ([], '/home/operator/.local/state/cell'),
        (['wrong_share:=0.0'], '/home/operator/.local/state/cell'),
    ],
)
def test_the_folder_of_the_running_cell_is_found_by_its_launch_arguments(start, arguments, folder):
    state = find_state('/cell', start(7, [*LAUNCH, *arguments]))
    assert (state.folder, state.database_url) == (Path(folder), f'sqlite:///{folder}/cell.db')
    assert state.tokens == Path(folder) / 'api_tokens.json' and 'process 7' in state.reason


def test_a_relative_folder_starts_where_the_cell_was_started(start, tmp_path):
    assert find_state('cell', start(7, [*LAUNCH, 'state_dir:=mine'])).folder == tmp_path / 'mine'


def test_a_database_of_its_own_stays_its_own(start):
    state = find_state('cell', start(7, [*LAUNCH, 'database_url:=postgresql://plant/cell', 'state_dir:=/data']))
    assert state.database_url == 'postgresql://plant/cell' and state.folder == Path('/data')


def test_cells_are_distinguished_by_namespace_and_ros_domain(start):
    start(7, [*LAUNCH, 'namespace:=left', 'state_dir:=/left'])
    start(8, [*LAUNCH, 'namespace:=right', 'state_dir:=/right'])
    proc = start(9, [*LAUNCH, 'namespace:=far', 'state_dir:=/far'], ROS_DOMAIN_ID='42')
    assert {name: str(state.folder) for name, state in running_states(proc).items()} == {'left': '/left', 'right': '/right'}


def test_without_a_running_cell_the_folder_here_counts_and_then_the_one_at_home(start, home, tmp_path):
    proc = start(7, ['python', 'other.launch.py', 'state_dir:=/other'])
    assert find_state('cell', proc).folder == home / '.local/state/cell'
    (tmp_path / 'state').mkdir()
    (tmp_path / 'state' / 'cell.db').touch()
    assert find_state('cell', proc).folder == tmp_path / 'state'


def test_a_process_that_hides_or_ends_is_left_out(start):
    proc = start(7, LAUNCH)
    (proc / '7' / 'cmdline').unlink()
    assert running_states(proc) == {}
