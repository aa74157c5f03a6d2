"""Actions that run processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch.actions import EmitEvent, ExecuteProcess, LogInfo, OpaqueFunction, RegisterEventHandler, Shutdown, TimerAction
from launch.event_handlers import OnProcessExit, OnProcessIO, OnProcessStart
from launch.events import matches_action
from launch.events.process import ShutdownProcess, SignalProcess, matches_name
from launch.substitutions import LaunchConfiguration

PYTHON = [sys.executable, '-S', '-c']
STUBBORN = 'trap "" INT TERM; echo ready; while :; do sleep 0.1; done'


def alive(pid):
    try:
        return 'zombie' not in Path(f'/proc/{pid}/status').read_text().split('State:')[1].splitlines()[0]
    except OSError:
        return False


def test_output_is_marked_with_the_process_name(run):
    code, out = run(ExecuteProcess(cmd=['sh', '-c', 'echo one; echo two >&2; printf three'], name='camera', output='screen'))
    lines = out.splitlines()
    label = next(line for line in lines if 'process started' in line).split('[')[2].split(']')[0]
    assert label.startswith('camera-')
    assert code == 0
    assert {f'[{label}] one', f'[{label}] two', f'[{label}] three'} <= set(lines)
    assert any('process has finished cleanly [pid ' in line for line in lines)


def test_output_for_the_log_shows_only_errors_on_the_screen(run, tmp_path):
    _, out = run(ExecuteProcess(cmd=['sh', '-c', 'echo one; echo two >&2']))
    assert 'one' not in [line.split('] ')[-1] for line in out.splitlines()]
    assert '] two' in out
    log = (tmp_path / 'log' / 'latest' / 'launch.log').read_text()
    assert '] one' in log
    assert '] two' in log


def test_output_can_have_a_file_of_its_own(run, tmp_path):
    run(ExecuteProcess(cmd=['echo', 'mine'], name='own', output={'stdout': 'own_log', 'stderr': ['screen', 'log']}))
    (path,) = (tmp_path / 'log' / 'latest').glob('own-*-stdout.log')
    assert 'mine' in path.read_text()


def test_a_wrong_output_is_refused(run):
    code, out = run(ExecuteProcess(cmd=['true'], output='everywhere'))
    assert code == 1
    assert 'everywhere is not a valid output config' in out


def test_output_can_be_kept(run):
    process = ExecuteProcess(cmd=['sh', '-c', 'echo out; echo err >&2'], cached_output=True)
    run(process)
    assert (process.get_stdout(), process.get_stderr(), process.return_code) == ('out\n', 'err\n', 0)
    other = ExecuteProcess(cmd=['true'])
    with pytest.raises(RuntimeError, match='cached_output'):
        other.get_stdout()


def test_a_process_may_have_a_terminal(run):
    ask = 'import os; print(os.isatty(1), os.isatty(2))'
    _, out = run(ExecuteProcess(cmd=[*PYTHON, ask], output='screen', emulate_tty=True))
    assert '] True True' in out
    assert '\r' not in out


def test_environment_folder_and_command_line(run, tmp_path, monkeypatch):
    monkeypatch.setenv('CELL_A', 'a')
    _, out = run(
        ExecuteProcess(
            cmd=['sh', '-c', 'echo $CELL_A $CELL_B $PWD'],
            additional_env={'CELL_B': ['b', '1']},
            cwd=str(tmp_path),
            output='screen',
        ),
        ExecuteProcess(cmd=['/usr/bin/env'], env={'ONLY': LaunchConfiguration('x', default='1')}, output='screen'),
        ExecuteProcess(cmd=['echo', 'a  b', '|', 'wc', '-w'], shell=True, output='screen'),
    )
    assert f'] a b1 {tmp_path}' in out
    assert '] ONLY=1' in out
    assert '] 2' in out
    assert '] CELL_A=a' not in out


def test_a_prefix_stands_before_the_programs_that_match(run):
    from launch.actions import SetLaunchConfiguration

    _, out = run(
        SetLaunchConfiguration('launch-prefix', 'echo before'),
        SetLaunchConfiguration('launch-prefix-filter', 'tr'),
        ExecuteProcess(cmd=['true', 'x'], output='screen'),
        ExecuteProcess(cmd=['false'], output='screen'),
        ExecuteProcess(cmd=['true', 'y'], prefix='echo mine', output='screen'),
    )
    assert '] before true x' in out
    assert '] mine true y' in out
    assert 'before false' not in out


def test_a_failing_process_is_reported_and_does_not_fail_the_launch(run):
    code, out = run(ExecuteProcess(cmd=['sh', '-c', 'exit 3'], name='x'))
    assert code == 0
    assert 'process has died [pid ' in out
    assert ", exit code 3, cmd 'sh -c exit 3']." in out


def test_a_program_that_is_not_there_is_reported(run):
    code, out = run(ExecuteProcess(cmd=['/nonexistent/program']))
    assert code == 0
    assert 'cannot start the process' in out
    assert '/nonexistent/program' in out


def test_an_action_is_executed_once_only(run):
    process = ExecuteProcess(cmd=['true'])
    code, out = run(process, process)
    assert code == 1
    assert 'executed only once' in out


def test_the_end_of_a_required_process_ends_the_launch(run):
    code, out = run(ExecuteProcess(cmd=['sleep', '1000']), ExecuteProcess(cmd=['false'], name='main', on_exit=Shutdown()))
    assert code == 0
    assert 'was required: shutting down launched system' in out
    assert "sending signal 'SIGINT' to process[sleep-" in out


def test_events_of_a_process(run):
    process = ExecuteProcess(cmd=['sh', '-c', 'echo hello; exit 4'])
    said = []
    _, out = run(
        RegisterEventHandler(OnProcessStart(target_action=process, on_start=[LogInfo(msg='begun')])),
        RegisterEventHandler(
            OnProcessIO(target_action=lambda action: action is process, on_stdout=lambda event: said.append(event.text))
        ),
        RegisterEventHandler(
            OnProcessExit(target_action=process, on_exit=lambda event, context: [LogInfo(msg=f'ended with {event.returncode}')])
        ),
        RegisterEventHandler(OnProcessExit(target_action=ExecuteProcess(cmd=['true']), on_exit=[LogInfo(msg='other')])),
        process,
    )
    assert b''.join(said) == b'hello\n'
    assert out.index('begun') < out.index('ended with 4')
    assert 'other' not in out


def test_a_process_is_started_again(run, tmp_path):
    count = tmp_path / 'count'
    process = ExecuteProcess(
        cmd=['sh', '-c', f'echo x >> {count}; exit 1'], respawn=True, respawn_delay=0.1, respawn_max_retries=2, name='again'
    )
    began = time.monotonic()
    _, out = run(process)
    assert count.read_text() == 'x\n' * 3
    assert out.count('process started') == 3
    assert time.monotonic() - began >= 0.2


def test_a_process_waiting_to_be_started_again_does_not_hold_up_the_shutdown(run):
    process = ExecuteProcess(cmd=['false'], respawn=LaunchConfiguration('respawn', default='true'), respawn_delay=3600.0)
    code, out = run(
        process,
        RegisterEventHandler(OnProcessExit(target_action=process, on_exit=[TimerAction(period=0.05, actions=[Shutdown()])])),
    )
    assert code == 0
    assert out.count('process started') == 1


def test_a_delay_must_be_a_number():
    with pytest.raises(TypeError, match='respawn_delay'):
        ExecuteProcess(cmd=['true'], respawn=True, respawn_delay=LaunchConfiguration('delay'))


def test_a_stubborn_process_gets_harder_signals(run):
    process = ExecuteProcess(cmd=['sh', '-c', STUBBORN], sigterm_timeout='0.2', sigkill_timeout='0.2', output='screen')
    code, out = run(process, RegisterEventHandler(OnProcessIO(target_action=process, on_stdout=lambda event: [Shutdown()])))
    assert code == 0
    assert "failed to terminate '0.2' seconds after receiving 'SIGINT', escalating to 'SIGTERM'" in out
    assert "seconds after receiving 'SIGTERM', escalating to 'SIGKILL'" in out
    assert 'exit code -9' in out


def test_one_process_can_be_shut_down_or_signalled(run):
    first, second = (ExecuteProcess(cmd=['sleep', '1000'], name=name) for name in ('first', 'second'))
    code, _ = run(
        first,
        second,
        RegisterEventHandler(
            OnProcessStart(
                target_action=first, on_start=[EmitEvent(event=ShutdownProcess(process_matcher=matches_action(first)))]
            )
        ),
        RegisterEventHandler(
            OnProcessStart(
                target_action=second,
                on_start=[
                    OpaqueFunction(
                        function=lambda context: [
                            EmitEvent(
                                event=SignalProcess(signal_number=signal.SIGUSR1, process_matcher=matches_name(second.name))
                            )
                        ]
                    )
                ],
            )
        ),
    )
    assert code == 0
    assert first.return_code == -signal.SIGINT
    assert second.return_code == -signal.SIGUSR1


def test_what_a_process_leaves_behind_ends_with_it(run, tmp_path, eventually):
    pid = tmp_path / 'pid'
    run(ExecuteProcess(cmd=['sh', '-c', f'sleep 1000 & echo $! > {pid}; exit 1']))
    eventually(lambda: not alive(int(pid.read_text())))


@pytest.fixture
def launcher(tmp_path):
    """Return a function that starts a launcher of its own and returns it with the pid of a process and of that one's child."""
    started = []

    def start(code, **options):
        script = tmp_path / 'launcher.py'
        script.write_text(
            'import sys\nfrom launch import *\nfrom launch.actions import *\n'
            f'service = LaunchService()\nservice.include_launch_description(LaunchDescription([{code}]))\n'
            'sys.exit(service.run())\n'
        )
        process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, **options)
        started.append(process)
        words = []
        while len(words) < 2:
            line = process.stdout.readline()
            assert line, 'the launcher ended early'
            words += [int(word) for word in line.split('] ')[-1].split() if 'pids' in line and word.isdigit()]
        return process, words[0], words[1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


FAMILY = (
    "ExecuteProcess(cmd=['sh', '-c', 'trap \"exit 0\" INT TERM; sleep 1000 & echo pids $$ $!; while :; do wait; done'], "
    "output='screen')"
)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_launch_in_order(launcher, eventually, number):
    process, pid, child = launcher(FAMILY)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert 'process has finished cleanly' in out
    eventually(lambda: not alive(pid) and not alive(child))


def test_nothing_is_left_when_the_launcher_is_killed(launcher, eventually):
    process, pid, child = launcher(FAMILY)
    process.kill()
    eventually(lambda: not alive(pid) and not alive(child))


def test_processes_are_out_of_reach_of_the_terminal(launcher):
    process, pid, _ = launcher(FAMILY, start_new_session=True)
    assert os.getsid(pid) == pid != os.getsid(process.pid)


def test_a_second_interrupt_changes_nothing(launcher):
    process, _, _ = launcher(
        "ExecuteProcess(cmd=['sh', '-c', 'trap \"sleep 0.5; exit 0\" INT; echo pids 1 2; "
        "while :; do sleep 0.05; done'], output='screen')"
    )
    process.send_signal(signal.SIGINT)
    while 'user interrupted' not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert 'again, ignoring' in out
    assert 'process has finished cleanly' in out
    assert process.returncode == 0
