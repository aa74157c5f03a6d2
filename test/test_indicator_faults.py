"""Every kind of indicator with every fault, over sockets, against the bridge's server and its durable journal.

Each indicator weighs three bags of 10, 11 and 12 kg, and a fault is injected before the second one. The tables below contain
the journal entries for each fault: no complete line is lost or counted twice, and every weight was on the display.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cell_common.database import migrate, open_database
from cell_sim.scales.client import ScaleClient
from cell_sim.scales.fleet import Fleet, ScaleSettings
from cell_sim.scales.indicator import Indicator
from cell_sim.scales.line_faults import FAULTS
from cell_sim.testing.waiting import wait_stable_async, wait_until_async
from cell_weighing.bridge.codecs import CodecOptions
from cell_weighing.bridge.events import (
    ConnectionReplaced,
    IdentityMismatch,
    ListeningState,
    ServerEvent,
)
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.bridge.line_pipeline import SiteConfig
from cell_weighing.bridge.peers import PeerConfig
from cell_weighing.bridge.stream_capture import StabilitySettings
from cell_weighing.bridge.tcp_server import IndicatorServer, TcpServerSettings
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightReading

TIMEOUT_S = 20.0
OFFLINE_S = 0.3
FLOOD = 300
WITH_CLOCK = '{id};{mode};{status};{weight:>8};{unit};{time}'
# kind -> print format, the bridge's codec, its capture, lines per second without a request
KINDS = {
    'legacy': ('legacy', 'legacy', 'printed', 0.0),
    'template': ('extended', 'template', 'printed', 0.0),
    'clock': (WITH_CLOCK, 'template', 'printed', 0.0),
    'streaming': ('extended', 'template', 'streaming', 50.0),
    'sma requested': ('sma', 'sma', 'streaming', 0.0),
}
TEMPLATES = {'clock': '{id};{mode};{status};{weight};{unit};{skip}'}
LINK_FAULTS = {'cut', 'power_cycle', 'half_open', 'disconnect'}


class Bridge:
    """The bridge as server and journal, outside of its node."""

    def __init__(self, folder: Path, kind: str, addresses: dict[str, str]) -> None:
        _, codec, capture, _ = KINDS[kind]
        self.readings: list[WeightReading] = []
        self.events: list[ServerEvent] = []
        engine = open_database(f'sqlite:///{folder}/cell.db')
        migrate(engine, 'cell_weighing')
        self.journal = JournalWriter(engine, self.readings.extend, lambda error: None)
        peers = {address: PeerConfig(scale_id) for scale_id, address in addresses.items()} if kind == 'sma requested' else {}
        site = SiteConfig(
            lambda: str(uuid.uuid4()),
            codec,
            capture,
            CodecOptions(TEMPLATES.get(kind, CodecOptions.template)),
            peers,
            StabilitySettings(count=3, window_ns=40_000_000),
        )
        self.server = IndicatorServer(
            TcpServerSettings('127.0.0.1', 0, poll_period=0.02), site, self.journal, self.events.append
        )
        self.site = site

    async def __aenter__(self) -> Bridge:
        self.task = asyncio.create_task(self.server.serve())
        await wait_until_async(lambda: self.events)
        [listening] = self.events
        assert isinstance(listening, ListeningState)
        assert not listening.error
        self.port = listening.port
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await wait_until_async(lambda: not self.server.connections)
        assert self.journal.close() == 0

    def of(self, scale_id: str) -> list[WeightReading]:
        return [reading for reading in self.readings if reading.scale_id == scale_id]


class Weigher:
    """Puts bags on one indicator, one after the other."""

    def __init__(self, scale: ScaleClient, bridge: Bridge) -> None:
        self.scale, self.bridge = scale, bridge

    async def weigh(self, kilograms: float) -> None:
        platform, indicator = self.scale.indicator.platform, self.scale.indicator
        platform.clear()
        await self._wait_shown('0.000')
        platform.fill(kilograms, 0.0, 0.0)
        if self.scale.on_demand:
            await self.scale.connected.wait()
            await self.scale.print()
        else:
            await self._wait_shown(indicator.show(1.0).weight)
            await self.wait_stable(0.2)

    async def wait_stable(self, seconds: float) -> None:
        """Wait until the bridge has received no line of this indicator for a time."""
        scale_id = self.scale.indicator.scale_id
        await wait_stable_async(lambda: len(self.bridge.of(scale_id)), seconds)

    async def _wait_shown(self, weight: str) -> None:
        """Wait until the bridge has received this weight from a streaming indicator."""
        scale_id, samples = self.scale.indicator.scale_id, self.bridge.site.samples
        if not self.scale.on_demand:
            await wait_until_async(lambda: scale_id in samples and samples[scale_id][2].weight == weight)


async def weigh_with_fault(weigher: Weigher, fault: str) -> None:
    await weigher.scale.connected.wait()
    await weigher.weigh(10)
    await wait_until_async(lambda: weigher.bridge.of(fault))
    await weigher.wait_stable(0.02)
    amount = {'flood': FLOOD, 'clock_jump': 7200.0}.get(fault, OFFLINE_S if fault in LINK_FAULTS else 0.0)
    weigher.scale.inject(fault, amount)
    if fault in ('duplicate_id', 'flood'):
        if weigher.scale.on_demand:
            lines = FLOOD if fault == 'flood' else 1
            await wait_until_async(lambda: len(weigher.bridge.of(fault)) > lines, TIMEOUT_S)
        await weigher.wait_stable(0.5)
    await weigher.weigh(11)
    if fault == 'duplicate_id':
        await wait_until_async(lambda: any(isinstance(event, ConnectionReplaced) for event in weigher.bridge.events))
    if fault == 'cut' and weigher.scale.on_demand:
        await wait_until_async(lambda: not weigher.scale.connected.is_set())
        await weigher.scale.connected.wait()
    await weigher.weigh(12)
    await weigher.wait_stable(0.5)


async def campaign(folder: Path, kind: str) -> Bridge:
    addresses = {fault: f'127.0.9.{number}' for number, fault in enumerate(FAULTS, 1)}
    print_format, _, _, stream_rate = KINDS[kind]
    async with Bridge(folder, kind, addresses) as bridge:
        scales = [
            ScaleClient(
                Indicator(fault, print_format=print_format),
                '127.0.0.1',
                bridge.port,
                stream_rate=stream_rate,
                source=addresses[fault],
            )
            for fault in FAULTS
        ]
        for scale in scales:
            await scale.start()
        await asyncio.gather(*(weigh_with_fault(Weigher(scale, bridge), scale.indicator.scale_id) for scale in scales))
        for scale in scales:
            await scale.stop()
        await wait_until_async(lambda: not bridge.server.connections)
    return bridge


@pytest.fixture(scope='module')
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bridge]:
    done: dict[str, Bridge] = {}

    def of(kind: str) -> Bridge:
        if kind not in done:
            done[kind] = asyncio.run(campaign(tmp_path_factory.mktemp('bridge'), kind))
        return done[kind]

    return of


THREE = ['10.000 kg', '11.000 kg', '12.000 kg']
WITHOUT_SECOND = ['10.000 kg', '12.000 kg']
PRINTED: dict[str, list[str]] = dict.fromkeys(FAULTS, THREE) | {
    'garble': WITHOUT_SECOND,
    'cut': WITHOUT_SECOND,
    'dashes': WITHOUT_SECOND,
    'wrong_unit': ['10.000 kg', '24.25 lb', '12.000 kg'],
    'motion': ['10.000 kg', '10.230 kg', '12.000 kg'],
    'duplicate_id': ['10.000 kg', *THREE],
    'flood': ['10.000 kg'] * (FLOOD + 1) + THREE[1:],
}
"""Weights of printed lines: each line is a bag, also one that was printed too early or by a second indicator."""
REFUSED = {'noise', 'garble', 'cut', 'endless', 'dashes'}
"""Faults that leave one recorded line without a weight."""


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('kind', KINDS)
def test_the_journal_contains_exactly_the_shown_weights(campaigns: Callable[[str], Bridge], kind: str, fault: str) -> None:
    readings = campaigns(kind).of(fault)
    valid = [f'{reading.weight} {reading.unit}' for reading in readings if reading.status is ReadingStatus.VALID]
    assert valid == (PRINTED[fault] if KINDS[kind][2] == 'printed' else THREE)
    assert len(readings) - len(valid) == (fault in REFUSED)
    assert all(reading.weight.encode() in reading.raw for reading in readings)
    assert [reading.sequence for reading in readings] == list(range(1, len(readings) + 1))
    assert [reading.monotonic_ns for reading in readings] == sorted(reading.monotonic_ns for reading in readings)


@pytest.mark.parametrize('kind', KINDS)
def test_a_weight_in_motion_is_marked_or_not_captured(campaigns: Callable[[str], Bridge], kind: str) -> None:
    stabilities = [reading.stability for reading in campaigns(kind).of('motion')]
    second = {'legacy': Stability.UNKNOWN, 'template': Stability.IN_MOTION, 'clock': Stability.IN_MOTION}
    assert stabilities[1] is second.get(kind, Stability.STABLE)


@pytest.mark.parametrize('kind', KINDS)
def test_only_two_indicators_with_one_id_are_reported(campaigns: Callable[[str], Bridge], kind: str) -> None:
    events = campaigns(kind).events
    reported = {event.scale_id for event in events if isinstance(event, ConnectionReplaced)}
    assert 'duplicate_id' in reported
    assert reported <= {'duplicate_id', 'power_cycle'}  # power loss leaves a dead connection
    assert not [event for event in events if isinstance(event, IdentityMismatch)]


def test_hundreds_of_indicators_in_one_process_lose_nothing(tmp_path: Path) -> None:
    ids = [f'{number}' for number in range(300)]
    lines = 5

    async def run() -> Bridge:
        async with Bridge(tmp_path, 'template', {}) as bridge:
            fleet = Fleet(
                ScaleSettings(port=bridge.port, scale_ids=ids, stations=(), print_format='extended'), 1, lambda *_, **__: None
            )
            for scale in fleet.scales.values():
                await scale.start()
            await asyncio.gather(*(scale.connected.wait() for scale in fleet.scales.values()))
            for number in range(lines):
                for fault in ('split', 'noise', 'glue')[:number]:
                    for scale_id in ids[number::7]:
                        fleet.scales[scale_id].inject(fault, 2 if fault == 'glue' and number < lines - 1 else 1)
                await asyncio.gather(*(print_one(scale, number) for scale in fleet.scales.values()))
            await wait_until_async(lambda: all(len(weights(bridge, scale_id)) == lines for scale_id in ids))
            for scale in fleet.scales.values():
                await scale.stop()
        return bridge

    async def print_one(scale: ScaleClient, number: int) -> None:
        scale.indicator.platform.fill(number + 1.0, 0.0, 0.0)
        await scale.print()

    bridge = asyncio.run(run())
    assert {tuple(weights(bridge, scale_id)) for scale_id in ids} == {tuple(f'{number + 1}.000' for number in range(lines))}


def weights(bridge: Bridge, scale_id: str) -> list[str]:
    return [reading.weight for reading in bridge.of(scale_id) if reading.status is ReadingStatus.VALID]


def test_order_and_numbers_survive_a_clock_that_is_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = {'ns': 0}
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() + ahead['ns'], monotonic_ns=time.monotonic_ns)
    monkeypatch.setattr('cell_weighing.bridge.tcp_server.time', clock)

    async def run() -> list[WeightReading]:
        async with Bridge(tmp_path, 'legacy', {}) as bridge:
            scale = ScaleClient(Indicator('3'), '127.0.0.1', bridge.port)
            await scale.start()
            await scale.connected.wait()
            for jump_s in (0, -3600, 7200):
                ahead['ns'] = jump_s * 10**9
                await scale.print()
                before = len(bridge.readings)
                await wait_until_async(lambda before=before: len(bridge.readings) > before)
            await scale.stop()
        return bridge.readings

    first, back, forth = asyncio.run(run())
    assert [first.sequence, back.sequence, forth.sequence] == [1, 2, 3]
    assert first.monotonic_ns < back.monotonic_ns < forth.monotonic_ns
    assert back.received_ns < first.received_ns < forth.received_ns  # as the clock was, uncorrected
