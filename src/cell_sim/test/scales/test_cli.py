"""Many indicators on the command line: lines, faults and commands."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from cell_common.catalogue import Catalogue
from cell_common.parameters import ParameterError
from cell_sim.parameters import WorldParameters
from cell_sim.scales.cli import execute_line, parser, run
from cell_sim.scales.fleet import Fleet, ScaleSettings
from cell_sim.simulation import Simulation, SimulationConfig
from cell_sim.world.parts import TrayMix

TIMEOUT_S = 10.0


def indicators(
    *words: str, commands: tuple[str, ...] = (), lines: int = 0, logged_lines: int = 0
) -> tuple[Counter[str], list[str], list[str]]:
    """Run the program against a listener until it has sent or logged a number of lines.

    Returns:
        Number of lines of each indicator, addresses of the connections, and logged lines.
    """
    lines_of: Counter[str] = Counter()
    peers: list[str] = []
    logged: list[str] = []

    async def whole() -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peers.append(writer.get_extra_info('peername')[0])
            while line := await reader.readline():
                lines_of[line.decode('latin-1').split(',')[0]] += 1
                if sum(lines_of.values()) == lines:
                    queue.put_nowait('quit')
            writer.close()

        def log(text: str) -> None:
            logged.append(text)
            if len(logged) == logged_lines:
                queue.put_nowait('quit')

        server = await asyncio.start_server(serve, '127.0.0.1', 0, backlog=200)
        arguments = parser().parse_args(['--port', str(server.sockets[0].getsockname()[1]), *words])
        for command in commands:
            queue.put_nowait(command)
        await asyncio.wait_for(run(arguments, queue, log), TIMEOUT_S)
        server.close()

    asyncio.run(whole())
    return lines_of, peers, logged


def test_each_of_many_indicators_prints_its_bags() -> None:
    lines_of, _, logged = indicators('--count', '40', '--first', '100', '--period', '0.1', lines=200)
    assert set(lines_of) == {str(number) for number in range(100, 140)}
    assert logged[-1] == '40 of 40 connected'


def test_each_dials_from_an_address_of_its_own() -> None:
    _, peers, _ = indicators('--count', '3', '--source', '127.0.7.254', '--period', '0.1', lines=6)
    assert sorted(set(peers)) == ['127.0.7.254', '127.0.7.255', '127.0.8.0']


def test_a_line_on_standard_input_injects_a_fault() -> None:
    words = ('--count', '2', '--period', '0.2')
    lines_of, _, logged = indicators(*words, commands=('2 endless 500', '', '7 flood', '2 melt'), lines=8)
    assert sum(lines_of.values()) >= 8
    assert any(len(name) == 502 for name in lines_of)  # the very long line has no comma
    assert logged[0].startswith('2: a very long line')
    assert logged[1].startswith('no scale 7')
    assert 'no fault "melt"' in logged[2]


def test_random_faults_have_the_same_order_with_the_same_seed() -> None:
    words = ('--count', '5', '--trouble', '50', '--period', '60')
    first, second = (indicators(*words, logged_lines=5)[2] for _ in range(2))
    assert len(first) >= 5
    assert first[:5] == second[:5]


@pytest.mark.parametrize(
    ('line', 'answer'),
    [('* split 2', '2 scales'), ('scale:1 noise', '1 scale'), ('1 split two', 'two is not a number'), ('help', 'half_open')],
)
def test_what_a_person_types_is_obeyed_or_explained(line: str, answer: str) -> None:
    assert answer in execute_line(Fleet(ScaleSettings(), 1, lambda *_, **__: None), line)


@pytest.mark.parametrize('words', [('--target', '0'), ('--unit', 'stone'), ('--count', 'many')])
def test_arguments_that_cannot_work_are_refused(words: tuple[str, ...], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert words[0] in capsys.readouterr().err


def test_a_fault_can_be_injected_into_every_scale(catalogue: Catalogue) -> None:
    simulation = Simulation(
        SimulationConfig(catalogue, TrayMix(tuple(catalogue.parts), 1), scales=ScaleSettings(scale_ids=('1', '2', '3')))
    )
    assert asyncio.run(simulation.inject('scale:*', 'noise', 2.0)).endswith('3 scales')
    assert [scale.faults.consume('noise') for scale in simulation.scales.values()] == [True] * 3


def test_a_print_format_of_the_world_that_cannot_work_is_named() -> None:
    settings = WorldParameters(print_format='template', print_template='{id};{weight} {unit}').scales()
    assert settings is not None
    assert settings.print_format == '{id};{weight} {unit}'
    with pytest.raises(ParameterError, match='print_template'):
        WorldParameters(print_format='template', print_template='{id}').scales()
