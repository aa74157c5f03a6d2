"""`cell robot` against a robot node and its UR program, and against a world without a simulation."""

from __future__ import annotations

import io

import pytest
from cell_bringup.client import CellClient
from cell_bringup.jobs import exit_code_of
from cell_bringup.robot import work_with_robot
from cell_common.testing import free_port, wait_until
from cell_robot.node import RobotNode
from cell_robot.testing import FakeProgram
from rich.console import Console

from cell_bringup import cli
from cell_interfaces.msg import RobotState
from cell_interfaces.srv import InjectFault

pytestmark = pytest.mark.slow

TRAYS = ', '.join(4 * ['{count: 1, capacity: 9, low: 0}'])
CATALOGUE = f'parts:\n  - {{part_number: EM1-2U1, letter: A, trays: [{TRAYS}]}}\n'


class Terminal:
    """A robot node and a terminal for commands."""

    def __init__(self, graph, domain, catalogue):
        self.graph, self.domain, self.port = graph, domain, free_port()
        self.node = graph.add(RobotNode(**graph.options(catalogue_file=str(catalogue), port=self.port, reconnect_timeout=0.5)))
        self.states = graph.collect(RobotState, 'robot/state', 1)

    def type(self, line):
        """Return exit code and what was shown."""
        shown = Console(file=io.StringIO(), width=200)
        client = CellClient(domain_id=self.domain)
        try:
            code = exit_code_of(
                shown, lambda: work_with_robot(client, shown, cli.parser().parse_args(['robot', *line.split()]))
            )
        finally:
            client.close()
        return code, shown.file.getvalue()


@pytest.fixture
def terminal(graph, domain, tmp_path):
    catalogue = tmp_path / 'parts.yaml'
    catalogue.write_text(CATALOGUE)
    return Terminal(graph, domain, catalogue)


def test_the_state_and_the_preflight_are_shown(terminal):
    with FakeProgram(terminal.port):
        wait_until(lambda: terminal.node.backend.state().connected)
        code, shown = terminal.type('state')
    assert code == 0
    assert 'robot over letters' in shown and 'connected to 127.0.0.1' in shown and 'none since the start' in shown
    assert 'pre-flight' in shown and 'cannot tell' in shown


def test_without_a_program_the_state_says_what_to_do(terminal):
    _, shown = terminal.type('state')
    assert 'not connected' in shown and 'Start the program' in shown


def test_a_recovery_shows_its_steps(terminal):
    with FakeProgram(terminal.port) as program:
        wait_until(lambda: terminal.node.backend.state().connected)
        code, shown = terminal.type('recover --yes')
        assert program.letters[0].startswith('H ')
    assert code == 0 and '3/3 Sending HOME' in shown and 'at home' in shown


def test_a_recovery_that_fails_says_why(terminal):
    code, shown = terminal.type('recover --yes')
    assert code == 1 and 'did not connect' in shown


def test_a_letters_robot_knows_no_named_poses(terminal):
    with FakeProgram(terminal.port) as program:
        wait_until(lambda: terminal.node.backend.state().connected)
        code, shown = terminal.type('move home')
        assert code == 1 and 'MOVE_home' in shown and program.letters == []
    assert 'camera' in terminal.type('moves')[1]


def test_faults_are_refused_where_there_is_no_simulation(terminal):
    code, shown = terminal.type('fault protective_stop')
    assert code == 1 and 'this cell has no simulation' in shown


def test_a_fault_reaches_the_simulated_controller(terminal):
    asked = []

    def inject(request, response):
        asked.append((request.device, request.fault, request.value))
        response.message = 'a contact'
        return response

    terminal.graph.node.create_service(InjectFault, 'sim/fault', inject)
    code, shown = terminal.type('fault protective_stop 2')
    assert (code, shown.strip()) == (0, 'a contact') and asked == [('ur', 'protective_stop', 2.0)]
