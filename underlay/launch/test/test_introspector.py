"""Launch descriptions as text."""

from launch.actions import EmitEvent, ExecuteProcess, LogInfo, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import EnvironmentVariable

from launch import LaunchDescription, LaunchIntrospector


def lines_of(*entities):
    return LaunchIntrospector().format_launch_description(LaunchDescription(entities)).splitlines()[1:]


def test_actions_are_listed_with_their_substitutions():
    process = ExecuteProcess(cmd=['echo', ['a', EnvironmentVariable('WORD')]], cwd='/tmp', env={'KEY': '1'}, shell=True)
    assert lines_of(LogInfo(msg='hello'), process) == [
        "├── LogInfo('hello')",
        "└── ExecuteProcess(cmd=['echo', 'a' + EnvVar('WORD')], cwd=''/tmp'', env={'KEY': '1'}, shell=True)",
    ]


def test_the_actions_of_an_event_handler_are_indented():
    handler = RegisterEventHandler(OnProcessExit(on_exit=[LogInfo(msg='x'), EmitEvent(event=Shutdown())]))
    first, second, *rest, last = lines_of(handler, LogInfo(msg='end'))
    assert first.startswith("├── RegisterEventHandler('<launch.event_handlers.OnProcessExit object at ")
    assert second.startswith('│   └── OnProcessExit(')
    assert rest == ["│       ├── LogInfo('x')", "│       └── EmitEvent(event='launch.events.Shutdown')"]
    assert last == "└── LogInfo('end')"


def test_an_empty_description_has_no_lines():
    assert lines_of() == []
