"""Texts of the terminal views."""

import io

import pytest
from cell_bringup.benchmarks import benchmark_table
from cell_bringup.cli import parser, run_command
from cell_bringup.robot import check_table
from cell_bringup.teach import places_table
from cell_bringup.terminal_views import status_table, weigh_line
from rich.console import Console

from cell_interfaces.msg import BenchmarkSet, CellStatus, PreflightCheck, Subsystem, TaughtPlace, WeighJob

MARKUP = '[red]x[/blue] [/]'


@pytest.mark.parametrize(('tolerance', 'shown'), [('0.05', '5%'), ('0.025', '2.5%'), ('0.07', '7%'), ('0', '0%')])
def test_a_tolerance_is_shown_as_it_was_set(tolerance: str, shown: str):
    job = WeighJob(target_weight='1.10', unit='kg', tolerance=tolerance, quantity=3)
    assert weigh_line(job) == f'0/3 bags of 1.10 kg ± {shown} · 0 out of tolerance'


def shown(table) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize(
    'table',
    [
        status_table(CellStatus(subsystems=[Subsystem(name='camera', message=MARKUP)])),
        check_table([PreflightCheck(name='arm', message=MARKUP)]),
        benchmark_table([BenchmarkSet(part_number='A', texts=[MARKUP])]),
        places_table([TaughtPlace(name='home', value=MARKUP)]),
    ],
    ids=['status', 'checks', 'benchmarks', 'places'],
)
def test_brackets_in_a_text_of_the_cell_are_shown(table):
    assert MARKUP in shown(table)


@pytest.mark.parametrize(
    'arguments',
    [
        ('report', '1', '--database-url', 'sqlite:///{}/[/red]'),
        ('catalogue', 'lint', '--catalogue', '{}/[/red].yaml'),
        ('scale', 'try', '{}/[/red].txt'),
    ],
    ids=lambda arguments: arguments[0],
)
def test_brackets_in_a_path_are_shown_in_an_error(arguments, tmp_path):
    console = Console(file=io.StringIO(), width=400)
    assert run_command(parser().parse_args([word.format(tmp_path) for word in arguments]), console) != 0
    assert '[/red]' in console.file.getvalue()
