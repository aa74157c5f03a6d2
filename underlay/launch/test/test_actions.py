"""Actions that run no process."""

import os
import threading

import pytest
from launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
    UnregisterEventHandler,
    UnsetEnvironmentVariable,
    UnsetLaunchConfiguration,
)
from launch.conditions import IfCondition
from launch.event_handler import EventHandler
from launch.event_handlers import OnProcessExit, OnShutdown
from launch.events import Shutdown as ShutdownEvent
from launch.launch_description_sources import InvalidLaunchFileError, PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, ThisLaunchFileDir

from launch import LaunchDescription, LaunchService


def test_an_argument_takes_its_default_or_what_is_given(visit):
    context = visit(
        SetLaunchConfiguration('given', 'mine'),
        DeclareLaunchArgument('given', default_value='default'),
        DeclareLaunchArgument('other', default_value=['of ', LaunchConfiguration('given')]),
    )
    assert context.launch_configurations == {'given': 'mine', 'other': 'of mine'}


def test_an_argument_without_a_value_is_missed(visit):
    with pytest.raises(RuntimeError, match=r'Required launch argument "robot" .*which one'):
        visit(DeclareLaunchArgument('robot', description='which one'))


def test_an_argument_outside_its_choices_is_refused(visit):
    with pytest.raises(RuntimeError, match='provided value "c" is not valid'):
        visit(SetLaunchConfiguration('mode', 'c'), DeclareLaunchArgument('mode', choices=['a', 'b']))
    with pytest.raises(RuntimeError, match='not in provided choices'):
        DeclareLaunchArgument('mode', default_value='c', choices=['a', 'b'])
    with pytest.raises(RuntimeError, match='empty'):
        DeclareLaunchArgument('mode', choices=[])


def test_a_keyword_that_is_not_known_is_named():
    with pytest.raises(TypeError, match='LogInfo: keyword arguments not known here: colour'):
        LogInfo(msg='x', colour='red')


def test_a_condition_decides(visit):
    context = visit(
        SetLaunchConfiguration('a', '1', condition=IfCondition('true')),
        SetLaunchConfiguration('b', '1', condition=IfCondition('false')),
    )
    assert context.launch_configurations == {'a': '1'}


def test_a_group_keeps_its_changes_to_itself(visit):
    context = visit(
        SetLaunchConfiguration('a', 'outer'),
        SetEnvironmentVariable('CELL_A', 'outer'),
        GroupAction(
            [
                SetLaunchConfiguration('a', 'inner'),
                SetEnvironmentVariable('CELL_A', 'inner'),
                SetLaunchConfiguration('b', [LaunchConfiguration('a')]),
            ],
            launch_configurations={'c': '1'},
        ),
        GroupAction([SetLaunchConfiguration('d', '1')], scoped=False),
    )
    assert context.launch_configurations == {'a': 'outer', 'd': '1'}
    assert os.environ['CELL_A'] == 'outer'


def test_a_group_may_see_nothing_of_its_surroundings(visit):
    seen = []
    visit(
        SetLaunchConfiguration('a', '1'),
        SetLaunchConfiguration('keep', '2'),
        GroupAction(
            [OpaqueFunction(function=lambda context: seen.append(dict(context.launch_configurations)))],
            forwarding=False,
            launch_configurations={'keep': LaunchConfiguration('keep')},
        ),
    )
    assert seen == [{'keep': '2'}]


def test_the_environment(visit):
    visit(
        SetEnvironmentVariable('CELL_A', ['x', 'y']),
        SetEnvironmentVariable('CELL_B', '1'),
        UnsetEnvironmentVariable('CELL_B'),
        AppendEnvironmentVariable('CELL_A', 'z'),
        AppendEnvironmentVariable('CELL_A', '0', prepend=True, separator=','),
    )
    assert os.environ['CELL_A'] == '0,xy:z'
    assert 'CELL_B' not in os.environ


def test_a_configuration_is_removed(visit):
    assert visit(SetLaunchConfiguration('a', '1'), UnsetLaunchConfiguration('a')).launch_configurations == {}


def test_a_function_may_yield_actions(visit):
    def function(context, name, *, value):
        return [SetLaunchConfiguration(name, value)]

    context = visit(OpaqueFunction(function=function, args=['a'], kwargs={'value': '1'}))
    assert context.launch_configurations == {'a': '1'}
    with pytest.raises(TypeError, match='expected a function'):
        OpaqueFunction(function='x')


@pytest.fixture
def files(tmp_path):
    """Return a function that writes a launch file whose description has these entities."""

    def write(name, entities):
        path = tmp_path / name
        path.write_text(
            'from launch import LaunchDescription\nfrom launch.actions import *\nfrom launch.conditions import *\n'
            'from launch.substitutions import *\nfrom launch.launch_description_sources import *\n'
            f'def generate_launch_description():\n    return LaunchDescription([{entities}])\n'
        )
        return str(path)

    return write


def test_an_included_file_gets_its_arguments(visit, files, tmp_path):
    path = files(
        'inner.launch.py',
        "DeclareLaunchArgument('a'), SetLaunchConfiguration('got', [LaunchConfiguration('a'), ' ', ThisLaunchFileDir()])",
    )
    outer = IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments={'a': 'x'}.items())
    context = visit(outer)
    assert context.launch_configurations['got'] == f'x {tmp_path}'


def test_this_launch_file_is_the_outer_one_again_after_an_include(visit, files, tmp_path):
    (tmp_path / 'sub').mkdir()
    inner = files('sub/inner.launch.py', '')
    outer = files('outer.launch.py', f"IncludeLaunchDescription('{inner}'), SetLaunchConfiguration('dir', ThisLaunchFileDir())")
    assert visit(IncludeLaunchDescription(outer)).launch_configurations['dir'] == str(tmp_path)


def test_a_required_argument_of_an_included_file_is_missed(visit, files):
    inner = files('inner.launch.py', "DeclareLaunchArgument('a'), DeclareLaunchArgument('b')")
    outer = files('outer.launch.py', f"IncludeLaunchDescription('{inner}', launch_arguments=[('a', '1')])")
    with pytest.raises(RuntimeError, match="missing required argument 'b'"):
        visit(IncludeLaunchDescription(outer))


def test_arguments_are_known_before_launching(files):
    inner = files('inner.launch.py', "DeclareLaunchArgument('deep', default_value='1')")
    outer = LaunchDescription(
        [
            DeclareLaunchArgument('a', description='first'),
            DeclareLaunchArgument('a', description='again'),
            GroupAction([DeclareLaunchArgument('b', default_value='1')], condition=IfCondition('true')),
            IncludeLaunchDescription(inner),
            IncludeLaunchDescription([ThisLaunchFileDir(), '/unknown.launch.py']),
        ]
    )
    found = {argument.name: argument.description for argument in outer.get_launch_arguments()}
    assert found == {'a': 'first', 'b': 'no description given', 'deep': 'no description given'}


@pytest.mark.parametrize(
    ('name', 'content', 'problem'),
    [
        ('a.launch.py', 'x = 1', 'does not contain the required function'),
        ('a.launch.py', 'def generate_launch_description(): return 1', 'returned no LaunchDescription'),
        ('a.launch.xml', '<launch/>', 'no launch file in Python'),
    ],
)
def test_a_file_that_is_no_launch_file_is_refused(visit, tmp_path, name, content, problem):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InvalidLaunchFileError, match=problem):
        visit(IncludeLaunchDescription(str(path)))


def test_messages_go_to_screen_and_log(run, tmp_path):
    code, out = run(LogInfo(msg=['cell ', 'left']))
    assert code == 0
    assert '[INFO] [launch.user]: cell left' in out
    assert 'cell left' in (tmp_path / 'log' / 'latest' / 'launch.log').read_text()


def test_a_log_folder_that_cannot_be_made_does_not_stop_the_launch(run, monkeypatch):
    monkeypatch.setenv('ROS_LOG_DIR', '/proc/no/such/folder')
    code, out = run(LogInfo(msg='hello'))
    assert code == 0
    assert 'There will be no log files' in out
    assert '[launch.user]: hello' in out


def test_a_timer_acts_later_and_a_shutdown_cancels_it(run):
    code, out = run(
        TimerAction(period=0.05, actions=[LogInfo(msg='short'), Shutdown(reason='enough')]),
        TimerAction(period=3600.0, actions=[LogInfo(msg='long')]),
    )
    assert code == 0
    assert 'short' in out
    assert 'long' not in out


@pytest.mark.parametrize('period', [3, None])
def test_a_period_must_be_a_float_or_a_text(period):
    with pytest.raises(TypeError, match="'period'"):
        TimerAction(period=period, actions=[])


def test_handlers_come_and_go(run):
    kept = OnShutdown(on_shutdown=[LogInfo(msg='goodbye')])
    gone = OnShutdown(on_shutdown=lambda event, context: [LogInfo(msg='never')])
    code, out = run(RegisterEventHandler(kept), RegisterEventHandler(gone), UnregisterEventHandler(gone))
    assert code == 0
    assert out.count('goodbye') == 1
    assert 'never' not in out


def test_a_handler_may_act_once_only(run):
    class Beat(ShutdownEvent.__base__):
        name = 'beat'

    handler = EventHandler(matcher=lambda event: isinstance(event, Beat), entities=[LogInfo(msg='heard')], handle_once=True)
    _, out = run(RegisterEventHandler(handler), EmitEvent(event=Beat()), EmitEvent(event=Beat()))
    assert out.count('heard') == 1


def test_a_handler_takes_actions_only():
    with pytest.raises(TypeError, match='expected actions or a function'):
        OnProcessExit(on_exit=['x'])
    with pytest.raises(TypeError, match='target_action'):
        OnProcessExit(target_action='camera', on_exit=[])
    with pytest.raises(RuntimeError, match='expected an event'):
        EmitEvent(event='x')


def test_a_failing_action_ends_the_launch_with_an_error(run):
    code, out = run(TimerAction(period=3600.0, actions=[]), LogInfo(msg=LaunchConfiguration('missing')))
    assert code == 1
    assert "Caught exception in launch (see debug for traceback): launch configuration 'missing' does not exist" in out


def test_a_launch_can_be_shut_down_from_another_thread():
    service = LaunchService()
    service.include_launch_description(
        LaunchDescription([OpaqueFunction(function=lambda context: threading.Thread(target=service.shutdown).start())])
    )
    assert service.run(shutdown_when_idle=False) == 0
    assert service.shutdown() is None
