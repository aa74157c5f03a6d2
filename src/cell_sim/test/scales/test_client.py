"""Simulated indicators over real sockets, against a listener as the scale bridge has one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cell_sim.faults import UnknownFaultError
from cell_sim.scales.client import ScaleClient
from cell_sim.scales.filler import Filler, FillOrder
from cell_sim.scales.filling_station import FillingStation
from cell_sim.scales.indicator import Indicator
from cell_sim.testing.waiting import assert_holds_async

TIMEOUT_S = 5.0
PERIOD_S = 0.1
Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Bench:
    """A scale, and the bridge's side of its link."""

    scale: ScaleClient
    links: asyncio.Queue[Link]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: list[asyncio.StreamWriter]

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), TIMEOUT_S)

    async def next_link(self) -> Link:
        link = await asyncio.wait_for(self.links.get(), TIMEOUT_S)
        self.opened.append(link[1])
        return link

    async def ask(self, command: bytes) -> bytes:
        self.writer.write(b'\n' + command + b'\r')
        return await asyncio.wait_for(self.reader.readuntil(b'\r'), TIMEOUT_S)


def with_scale(
    scenario: Callable[[Bench], Awaitable[None]],
    *,
    print_format: str = 'legacy',
    stream_rate: float = 0.0,
    kilograms: float = 12.5,
) -> None:
    async def run() -> None:
        links: asyncio.Queue[Link] = asyncio.Queue()
        server = await asyncio.start_server(lambda *link: links.put_nowait(link), '127.0.0.1', 0)
        indicator = Indicator('3', print_format=print_format)
        indicator.platform.fill(kilograms, 0.0, 0.0)
        scale = ScaleClient(indicator, '127.0.0.1', server.sockets[0].getsockname()[1], stream_rate=stream_rate)
        await scale.start()
        reader, writer = await asyncio.wait_for(links.get(), TIMEOUT_S)
        bench = Bench(scale, links, reader, writer, [writer])
        try:
            await asyncio.wait_for(scenario(bench), 4 * TIMEOUT_S)
        finally:
            await scale.stop()
            for opened in bench.opened:
                opened.close()
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_print_sends_one_line() -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.scale.print() == (b'3,12.500 kg\r\n', True)
        assert await bench.line() == b'3,12.500 kg\r\n'

    with_scale(scenario)


def test_a_streaming_indicator_sends_without_being_asked() -> None:
    async def scenario(bench: Bench) -> None:
        assert [await bench.line() for _ in range(5)] == [b'3,12.500 kg\r\n'] * 5

    with_scale(scenario, stream_rate=50.0)


def test_an_indicator_dials_again_when_the_bridge_goes() -> None:
    async def scenario(bench: Bench) -> None:
        bench.writer.transport.abort()
        bench.reader, _ = await bench.next_link()
        await bench.scale.print()
        assert await bench.line() == b'3,12.500 kg\r\n'

    with_scale(scenario)


def test_a_line_printed_without_a_link_is_lost() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('disconnect', 0.2)
        assert await bench.line() == b''
        assert (await bench.scale.print())[1] is False
        bench.reader, _ = await bench.next_link()
        await bench.scale.print()
        assert await bench.line() == b'3,12.500 kg\r\n'

    with_scale(scenario)


def test_sma_commands_are_answered() -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask(b'W') == b'\n 1G      12.500kg \r'
        assert await bench.ask(b'P') == b'\n 1G      12.500kg \r'
        assert await bench.ask(b'Y') == b'\n?\r'

    with_scale(scenario, print_format='sma')


def test_sma_p_waits_until_the_load_is_still() -> None:
    async def scenario(bench: Bench) -> None:
        now = asyncio.get_running_loop().time()
        bench.scale.indicator.platform.fill(10.0, now, 0.3)
        assert (await bench.ask(b'W'))[4:5] == b'M'
        assert await bench.ask(b'P') == b'\n 1G      10.000kg \r'
        assert asyncio.get_running_loop().time() - now >= 0.3

    with_scale(scenario, print_format='sma')


def test_sma_p_gives_dashes_when_the_load_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('cell_sim.scales.client.SETTLE_LIMIT_S', 0.1)

    async def scenario(bench: Bench) -> None:
        bench.scale.indicator.platform.fill(10.0, asyncio.get_running_loop().time(), 60.0)
        assert b'  ------  ' in await bench.ask(b'P')

    with_scale(scenario, print_format='sma')


def test_sma_r_repeats_until_the_next_command() -> None:
    async def scenario(bench: Bench) -> None:
        first = await bench.ask(b'R')
        assert [await bench.reader.readuntil(b'\r') for _ in range(2)] == [first, first]
        bench.writer.write(b'\nM\r')
        while (reply := await asyncio.wait_for(bench.reader.readuntil(b'\r'), TIMEOUT_S)) == first:
            pass
        assert reply == b'\n 1T       0.000kg \r'

    with_scale(scenario, print_format='sma')


def test_split_lines_arrive_whole_in_the_end() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('split', 1)
        await bench.scale.print()
        assert await bench.line() == b'3,12.500 kg\r\n'

    with_scale(scenario)


def test_a_cut_line_ends_with_the_link() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('cut', 0.1)
        assert (await bench.scale.print())[1] is False
        assert await bench.line() == b'3,12.5'
        await bench.next_link()

    with_scale(scenario)


def test_a_reply_is_cut_and_comes_in_pieces_as_a_printed_line_is() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('split', 1)
        assert await bench.ask(b'W') == b'\n 1G      12.500kg \r'
        bench.scale.inject('cut', 0.1)
        bench.writer.write(b'\nP\r')
        assert await asyncio.wait_for(bench.reader.read(), TIMEOUT_S) == b'\n 1G      '
        bench.reader, bench.writer = await bench.next_link()
        assert await bench.ask(b'W') == b'\n 1G      12.500kg \r'

    with_scale(scenario, print_format='sma')


def test_a_power_cycle_leaves_a_dead_connection_and_makes_a_new_one() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('power_cycle', 0.1)
        reader, _ = await bench.next_link()
        await bench.scale.print()
        assert await asyncio.wait_for(reader.readline(), TIMEOUT_S) == b'3,12.500 kg\r\n'
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bench.reader.read(1), 0.2)

    with_scale(scenario)


def test_lines_held_by_a_half_open_link_arrive_late_and_together() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('half_open', 0.3)
        await bench.scale.print()
        await bench.scale.print()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bench.reader.read(1), 0.1)
        assert [await bench.line(), await bench.line()] == [b'3,12.500 kg\r\n'] * 2

    with_scale(scenario)


def test_a_duplicate_id_comes_over_a_second_link() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('duplicate_id', 2)
        reader, _ = await bench.next_link()
        assert [await reader.readline() for _ in range(2)] == [b'3,12.500 kg\r\n'] * 2
        await bench.scale.print()
        assert await bench.line() == b'3,12.500 kg\r\n'

    with_scale(scenario)


def test_a_flood_ends_after_the_given_number_of_lines() -> None:
    async def scenario(bench: Bench) -> None:
        bench.scale.inject('flood', 5000)
        lines = [await bench.line() for _ in range(5000)]
        assert set(lines) == {b'3,12.500 kg\r\n'}
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bench.reader.read(1), 0.1)

    with_scale(scenario)


def test_an_unknown_fault_is_refused() -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(UnknownFaultError, match='half_open'):
            bench.scale.inject('melt', 0)

    with_scale(scenario)


def filling(bench: Bench, bags: list[dict[str, Any]]) -> FillingStation:
    return FillingStation('A', bench.scale, Filler(1, 'A'), PERIOD_S, lambda _, **facts: bags.append(facts))


def test_a_station_fills_one_line_a_bag_while_its_job_is_active() -> None:
    async def scenario(bench: Bench) -> None:
        bags: list[dict[str, Any]] = []
        station = filling(bench, bags)
        working = asyncio.get_running_loop().create_task(station.run())
        station.set_order(FillOrder(1, 10.0, 'kg'))
        lines = [await bench.line() for _ in range(3)]
        station.set_order(None)
        assert [bag['line'].encode() for bag in bags[:3]] == lines
        assert all(8 <= float(line[2:].split()[0]) <= 12 for line in lines)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bench.reader.read(1), 3 * PERIOD_S)
        working.cancel()

    with_scale(scenario, kilograms=0.0)


def test_a_station_without_a_job_prints_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        working = asyncio.get_running_loop().create_task(filling(bench, []).run())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(bench.reader.read(1), 3 * PERIOD_S)
        working.cancel()

    with_scale(scenario)


def test_a_bag_begun_for_a_job_that_ended_is_not_printed() -> None:
    async def scenario(bench: Bench) -> None:
        bags: list[dict[str, Any]] = []
        station = filling(bench, bags)
        working = asyncio.get_running_loop().create_task(station.run())
        station.set_order(FillOrder(1, 10.0, 'kg'))
        await assert_holds_async(lambda: bags == [], PERIOD_S / 4)
        station.set_order(None)
        await assert_holds_async(lambda: bags == [], 2 * PERIOD_S)
        working.cancel()

    with_scale(scenario)


def test_bags_are_weighed_in_the_unit_of_the_job() -> None:
    async def scenario(bench: Bench) -> None:
        station = filling(bench, [])
        working = asyncio.get_running_loop().create_task(station.run())
        station.set_order(FillOrder(1, 800.0, 'g'))
        assert (await bench.line()).endswith(b' g\r\n')
        working.cancel()

    with_scale(scenario)
