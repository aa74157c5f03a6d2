"""The network camera over real HTTP, read as a camera node reads it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from cell_sim.camera.http_server import BOUNDARY, LEFT_IN_BUFFER, SEND_BUFFER, CameraServer, FrameHistory
from cell_sim.testing.waiting import assert_holds_async, wait_until_async

pytestmark = pytest.mark.slow

TIMEOUT_S = 5.0

RATE = 50.0
Frames = Callable[[int], Awaitable[list[bytes]]]


class Source:
    """Numbered frames."""

    def __init__(self, padding: int = 0) -> None:
        self.taken = 0
        self.padding = b'.' * padding

    def __call__(self) -> bytes:
        self.taken += 1
        return b'\xff\xd8' + b'%d' % self.taken + self.padding


def with_camera(source: Source, scenario: Callable[[CameraServer], Awaitable[None]]) -> None:
    async def run() -> None:
        camera = CameraServer(source, 0, frame_rate=RATE)
        await camera.start()
        try:
            await asyncio.wait_for(scenario(camera), 3 * TIMEOUT_S)
        finally:
            await camera.stop()

    asyncio.run(run())


class Watcher:
    """A client that reads multipart JPEG by its content length."""

    async def open(self, port: int) -> Watcher:
        self.reader, self.writer = await asyncio.open_connection('127.0.0.1', port)
        self.writer.write(b'GET /camera.mjpg HTTP/1.1\r\nHost: camera\r\n\r\n')
        self.head = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), TIMEOUT_S)
        return self

    async def frame(self) -> bytes:
        head = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), TIMEOUT_S)
        assert head.startswith(f'--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n'.encode())
        length = int(head.split(b'Content-Length: ')[1].split(b'\r\n')[0])
        return (await self.reader.readexactly(length + 2))[:-2]

    async def number(self) -> int:
        return int((await self.frame())[2:].rstrip(b'.'))

    def close(self) -> None:
        self.writer.close()


def test_frames_come_one_after_the_other_as_multipart() -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        assert b'multipart/x-mixed-replace; boundary=frame' in watcher.head
        numbers = [await watcher.number() for _ in range(5)]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        watcher.close()

    with_camera(Source(), scenario)


def test_no_frame_is_produced_without_a_client() -> None:
    source = Source()

    async def scenario(camera: CameraServer) -> None:
        await assert_holds_async(lambda: source.taken == 0, 5 / RATE)
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        watcher.close()
        await wait_until_async(lambda: camera.client_count == 0)
        await assert_holds_async(lambda: camera.client_count == 0, 2 / RATE, 'the frame in progress ends')
        made = source.taken
        await assert_holds_async(lambda: source.taken == made, 5 / RATE)

    with_camera(source, scenario)


def test_two_watchers_share_the_frames() -> None:
    source = Source()

    async def scenario(camera: CameraServer) -> None:
        one, other = await Watcher().open(camera.port), await Watcher().open(camera.port)
        for _ in range(10):
            await one.frame()
            await other.frame()
        assert source.taken <= 15
        one.close()
        other.close()

    with_camera(source, scenario)


def test_a_slow_client_skips_frames_and_delays_no_other_client() -> None:
    async def scenario(camera: CameraServer) -> None:
        slow, quick = await Watcher().open(camera.port), await Watcher().open(camera.port)
        first = await slow.number()
        for _ in range(60):
            newest = await quick.number()
        numbers = [first]
        while numbers[-1] < newest:
            numbers.append(await slow.number())
        assert len(numbers) < newest - first
        slow.close()
        quick.close()

    with_camera(Source(4 * SEND_BUFFER), scenario)


def test_a_snapshot_is_one_jpeg() -> None:
    async def scenario(camera: CameraServer) -> None:
        async with aiohttp.ClientSession() as session, session.get(f'http://127.0.0.1:{camera.port}/snapshot.jpg') as answer:
            assert (answer.status, answer.content_type) == (200, 'image/jpeg')
            assert (await answer.read()).startswith(b'\xff\xd8')

    with_camera(Source(), scenario)


def test_another_path_is_not_found() -> None:
    async def scenario(camera: CameraServer) -> None:
        async with aiohttp.ClientSession() as session, session.get(f'http://127.0.0.1:{camera.port}/') as answer:
            assert answer.status == 404
            assert '/camera.mjpg' in await answer.text()

    with_camera(Source(), scenario)


def test_a_port_in_use_is_an_error() -> None:
    async def scenario(camera: CameraServer) -> None:
        with pytest.raises(OSError, match='address already in use'):
            await CameraServer(Source(), camera.port).start()

    with_camera(Source(), scenario)


async def reopened(port: int) -> Watcher:
    """Connect as soon as the camera is back."""
    deadline = asyncio.get_running_loop().time() + 5.0
    while True:
        try:
            return await Watcher().open(port)
        except OSError:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0)


def test_a_disconnected_camera_comes_back_on_the_same_port() -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        camera.inject('disconnect', 0.3)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            while True:
                await watcher.frame()
        watcher.close()
        with pytest.raises(OSError):
            await Watcher().open(camera.port)
        again = await reopened(camera.port)
        await again.frame()
        again.close()

    with_camera(Source(), scenario)


def test_a_stalled_camera_sends_nothing_for_a_while() -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        camera.inject('stall', 0.4)
        await assert_holds_async(lambda: True, 0.05)
        started = asyncio.get_running_loop().time()
        for _ in range(4):
            await watcher.frame()
        assert asyncio.get_running_loop().time() - started > 0.25
        watcher.close()

    with_camera(Source(), scenario)


def test_a_frozen_camera_repeats_a_frame() -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        camera.inject('freeze', 10.0)
        await watcher.frame()
        await watcher.frame()
        assert await watcher.number() == await watcher.number()
        watcher.close()

    with_camera(Source(), scenario)


def test_garbage_is_no_jpeg() -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        camera.inject('garbage', 1)
        frames = [await watcher.frame() for _ in range(5)]
        assert [frame.startswith(b'\xff\xd8.') for frame in frames].count(True) == 1
        watcher.close()

    with_camera(Source(2000), scenario)


def test_switching_off_with_connected_clients_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(camera: CameraServer) -> None:
        watcher = await Watcher().open(camera.port)
        await watcher.frame()
        await camera.stop()
        watcher.close()

    with_camera(Source(), scenario)
    assert caplog.records == []


class History:
    """A camera of ten frames a second; its frames are numbered."""

    def __init__(self) -> None:
        self.history, self.now, self.taken = FrameHistory(0.1, lambda frame: frame + b' again'), 100.0, 0

    def send(self, count: int) -> list[bytes]:
        sent = []
        for _ in range(count):
            self.now += 0.1
            self.taken += 1
            sent.append(self.history.next(b'%d' % self.taken, self.now))
        return sent

    def inject(self, fault: str, value: float) -> None:
        self.history.inject(fault, value, self.now)


@pytest.fixture
def history() -> History:
    return History()


def test_a_camera_without_fault_sends_each_frame_once(history):
    assert history.send(5) == [b'1', b'2', b'3', b'4', b'5']


def test_a_lag_delays_every_frame_until_it_is_cleared(history):
    history.send(10)
    history.inject('lag', 0.55)
    assert history.send(3) == [b'5', b'6', b'7']
    history.history.clear()
    assert history.send(1) == [b'14']


def test_a_lag_longer_than_the_camera_runs_sends_nothing_yet(history):
    history.inject('lag', 5.0)
    assert history.send(3) == [b'', b'', b'']


def test_repeats_hold_the_last_frame_now_and_then(history):
    history.send(3)
    history.inject('repeat', 5.0)
    sent = history.send(20)
    assert 0 < sum(one == other for one, other in itertools.pairwise(sent)) < 19
    assert all(int(frame) <= history.taken for frame in sent)
    history.send(40)
    assert history.send(2) == [b'64', b'65']


@pytest.mark.parametrize('fault', ['ring', 'loop'])
def test_old_buffers_are_frames_from_before_the_fault_compressed_again(history, fault):
    history.send(30)
    history.inject(fault, 1.0)
    sent = history.send(9)
    assert all(frame.endswith(b' again') and int(frame.split()[0]) <= 30 for frame in sent)
    history.send(3)
    assert history.send(1) == [b'43']


def test_a_restarted_camera_first_sends_what_was_left_in_its_buffer(history):
    history.send(20)
    history.history.leave_in_buffer()
    assert history.send(LEFT_IN_BUFFER) == [b'16', b'17', b'18', b'19', b'20']
    assert history.send(1) == [b'26']
