"""`cell weigh` against weigh_station alone: no camera and no robot."""

import io

import pytest
from cell_bringup.client import CellClient
from cell_bringup.jobs import exit_code_of
from cell_bringup.weighing import decimal_text, work_with_weighing
from cell_bringup.weighing_arguments import with_action
from cell_weighing.testing import WeighStationNode
from rich.console import Console

from cell_bringup import cli
from cell_interfaces.srv import RecordBag


@pytest.fixture
def terminal(graph, domain, tmp_path):
    url = f'sqlite:///{tmp_path}/cell.db'
    graph.add(WeighStationNode(**graph.options(database_url=url)))

    def run(*arguments):
        shown = Console(file=io.StringIO(), width=200)
        client = CellClient(domain_id=domain)
        try:
            options = cli.parser().parse_args(with_action(['weigh', *arguments]))
            code = exit_code_of(shown, lambda: work_with_weighing(client, shown, options))
        finally:
            client.close()
        return code, shown.file.getvalue()

    def record(weight):
        client = CellClient(domain_id=domain)
        try:
            request = RecordBag.Request(
                command=client.command(), reading_id='r1', station='B', scale_id='3', weight=weight, unit='kg'
            )
            client.call(RecordBag, 'weighing/record_bag', request)
        finally:
            client.close()

    run.record = record
    return run


@pytest.mark.slow
def test_an_operator_starts_looks_voids_undoes_ends_and_reopens(terminal):
    code, text = terminal('start', '1.10', '3', '--station', 'B')
    assert code == 1 and '--company' in text
    code, text = terminal('start', '1.10', '3', '--company', 'ACME', '--tare', '2', '--station', 'B')
    assert code == 0 and 'has started at station B' in text and 'tare of 2 kg is above the target' in text
    terminal.record('3.10')
    code, text = terminal('list')
    assert code == 0 and 'ACME' in text and '3.10 kg' in text and 'default tolerance: 0.10' in text
    assert 'bag 1 is not for the web application' in terminal('bag', '1')[1]
    assert 'no longer counts' in terminal('void', '1', 'torn')[1]
    assert 'counts again' in terminal('undo-void', '1', 'it was not')[1]
    assert 'has ended with 1 of 3' in terminal('end', '--station', 'B', '--reason', 'shift')[1]
    assert 'is active again' in terminal('reopen', '1', 'one more')[1]
    for arguments, word in (
        (('start', '1.10', '3', '--station', 'b'), '"b": choose one with --station: A, B'),
        (('bag', '99'), 'no bag 99'),
        (('undo-void', '1', 'again'), 'not voided'),
        (('end', '--station', 'A'), 'no active weigh job'),
    ):
        code, text = terminal(*arguments)
        assert code == 1 and word in text


def test_the_action_may_be_left_out():
    assert with_action(['weigh', '1.10', '3']) == ['weigh', 'run', '1.10', '3']
    assert with_action(['--namespace', 'c', 'weigh', 'list']) == ['--namespace', 'c', 'weigh', 'list']
    assert with_action(['weigh', '--help']) == ['weigh', '--help'] and with_action(['status']) == ['status']
    options = cli.parser().parse_args(with_action(['weigh', '1.10', '3', '--station', 'B']))
    assert (options.action, options.target_weight, options.quantity, options.station) == ('run', '1.10', 3, 'B')


@pytest.mark.parametrize(
    ('text', 'point', 'number'),
    [('1,10', ',', '1.10'), ('1.10', ',', '1.10'), ('1,10', '.', '1,10'), ('1.234,5', ',', '1.234,5'), ('1,2,3', ',', '1,2,3')],
)
def test_a_decimal_comma_is_accepted_where_the_locale_has_one(text, point, number):
    assert decimal_text(text, point) == number
