"""ros2 launch."""

import os

import launch.logging
import pytest
from ros2cli import cli

FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, GroupAction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('word', description='what is said'),
        DeclareLaunchArgument('how', default_value=['lou', LaunchConfiguration('d', default='d')], choices=['loud', 'soft']),
        GroupAction([DeclareLaunchArgument('rare', default_value='1')], condition=IfCondition('false')),
        ExecuteProcess(cmd=['echo', LaunchConfiguration('word'), LaunchConfiguration('how'),
                            LaunchConfiguration('extra', default='-')]),
    ])
"""


@pytest.fixture(autouse=True)
def share(tmp_path, monkeypatch):
    """Make a package ``shown`` with launch files; return its share folder."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    (index / 'shown').touch()
    share = tmp_path / 'share/shown'
    for name in ('launch/show.launch.py', 'a/twice.launch.py', 'b/twice.launch.py'):
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(FILE)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}{os.pathsep}{os.environ.get("AMENT_PREFIX_PATH", "")}')
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.setenv('OVERRIDE_LAUNCH_PROCESS_OUTPUT', 'screen')
    yield share
    launch.logging.reset()


def test_a_file_of_a_package_is_launched(capsys):
    assert cli.main(argv=['launch', 'shown', 'show.launch.py', 'word:=no', 'word:=hello:=you', 'extra:=1']) == 0
    assert '] hello:=you loud 1\n' in capsys.readouterr().out


def test_a_file_is_launched_by_its_path(capsys, share):
    assert cli.main(argv=['launch', str(share / 'launch/show.launch.py'), 'word:=hello', 'how:=soft']) == 0
    assert '] hello soft -\n' in capsys.readouterr().out


def test_a_prefix_is_put_before_the_programs(capsys):
    words = ['--launch-prefix', 'echo before', '--launch-prefix-filter', 'ec']
    assert cli.main(argv=['launch', *words, 'shown', 'show.launch.py', 'word:=x']) == 0
    assert '] before echo x loud -\n' in capsys.readouterr().out


def test_all_output_can_be_shown(capsys, monkeypatch):
    monkeypatch.setenv('OVERRIDE_LAUNCH_PROCESS_OUTPUT', 'own_log')
    assert cli.main(argv=['launch', '-a', '-d', 'shown', 'show.launch.py', 'word:=x']) == 0
    out = capsys.readouterr().out
    assert '] x loud -\n' in out
    assert '[DEBUG]' in out


def test_arguments_are_shown(capsys, share):
    assert not cli.main(argv=['launch', '--show-args', 'shown', 'show.launch.py'])
    assert (
        capsys.readouterr().out
        == """Arguments (pass arguments as '<name>:=<value>'):

    'word':
        what is said

    'how':
        One of: ['loud', 'soft']
        (default: 'lou' + LaunchConfig('d'))

    'rare':*
        no description given
        (default: '1')

* argument(s) which are only used if specific conditions occur
"""
    )
    (share / 'launch/show.launch.py').write_text('from launch import *\ngenerate_launch_description = LaunchDescription\n')
    cli.main(argv=['launch', '-s', 'shown', 'show.launch.py'])
    assert 'No arguments.' in capsys.readouterr().out


def test_a_description_is_printed_without_launching(capsys, share):
    assert not cli.main(argv=['launch', '--print-description', 'shown', 'show.launch.py'])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith('<launch.launch_description.LaunchDescription object at ')
    assert [line[:4] for line in lines] == ['├── ', '├── ', '├── ', '└── ']
    assert lines[-1] == (
        "└── ExecuteProcess(cmd=['echo', LaunchConfig('word'), LaunchConfig('how'), LaunchConfig('extra')], "
        'cwd=None, env=None, shell=False)'
    )


@pytest.mark.parametrize(
    ('words', 'answer'),
    [
        (['none', 'x'], "Package 'none' not found"),
        (['shown', 'none.launch.py'], 'was not found in the share directory'),
        (['-p', 'shown', 'none.launch.py'], 'was not found in the share directory'),
        (['shown', 'twice.launch.py'], 'was found more than once'),
        (['shown'], 'No launch file supplied'),
        (['shown', 'show.launch.py', 'word'], "malformed launch argument 'word'"),
        (['shown', 'show.launch.py', 'word:='], "malformed launch argument 'word:='"),
        (['--launch-prefix-filter', 'x', 'shown', 'show.launch.py'], '--launch-prefix must be specified'),
    ],
)
def test_what_cannot_be_launched_is_refused(words, answer):
    assert answer in cli.main(argv=['launch', *words])


def test_a_missing_or_wrong_argument_ends_the_launch_with_an_error(capsys):
    assert cli.main(argv=['launch', 'shown', 'show.launch.py']) == 1
    assert "missing required argument 'word'" in capsys.readouterr().out
    assert cli.main(argv=['launch', 'shown', 'show.launch.py', 'word:=x', 'how:=often']) == 1
    assert "Valid options are: ['loud', 'soft']" in capsys.readouterr().out
