#!/usr/bin/env python3
"""Endurance of the OCR worker: memory over many readings, and time to the next reading after the worker is killed.

. ./env.sh && python bench/endurance.py [--reads 10000] [--kills 30] [--engine ppocr]

Exit code 1 when memory left its band of 5 % after the warm-up, or a reading after a kill took longer than 3 s.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import queue
import random
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from cell_vision.ocr.worker.protocol import STANDBY_MODES
from cell_vision.ocr.worker.supervisor import ReadJob, ReadResult, WorkerSupervisor
from cell_vision.types import ReadOptions

MEGABYTE = 1_000_000
# Growth below this share is noise of the allocator.
BAND = 0.05
LIMIT_S = 3.0
SIZES = ((640, 360), (480, 360), (400, 300), (512, 288), (360, 480), (320, 320), (333, 277), (1280, 720))


@dataclass(frozen=True)
class Frame:
    """One image and its reading options."""

    jpeg: bytes
    options: ReadOptions


def frames(count: int, seed: int) -> list[Frame]:
    """Draw images of many sizes and contents: some for careful readings, some with barcodes, some invalid.

    Different sizes matter: inference libraries cache buffers per shape, which looks like a leak.

    Args:
        count: Number of images.
        seed: The same seed gives the same images.
    """
    dice = random.Random(seed)
    drawn = []
    for at in range(count):
        wide, high = SIZES[at % len(SIZES)]
        image = np.full((high, wide, 3), dice.randrange(150, 240), np.uint8)
        scale = min(wide, high) / dice.uniform(250, 700)
        for line in range(at % 12 and 1 + at % 3):
            text = ''.join(dice.choice('ABCDEFGHKLMNPRSTUVXYZ0123456789-') for _ in range(dice.randrange(4, 12)))
            cv2.putText(
                image,
                text,
                (wide // 6, high // 3 + round(line * 45 * scale)),
                cv2.FONT_HERSHEY_SIMPLEX,
                scale,
                (30, 30, 30),
                max(1, round(scale * 2)),
                cv2.LINE_AA,
            )
        turn = dice.choice((None, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180))
        turned = image if turn is None else cv2.rotate(image, turn)
        # Every twentieth frame is no image: the error path must not leak either.
        jpeg = bytes(cv2.imencode('.jpg', turned)[1]) if at % 20 else b'\xff\xd8 no picture'
        codes = ['QRCode', 'DataMatrix'] if at % 10 == 3 else []
        drawn.append(Frame(jpeg, {'fast': True, 'careful': at % 100 == 7, 'crop_side': 480, 'codes': codes}))
    return drawn


def read(host: WorkerSupervisor, frame: Frame, timeout: float = 60.0) -> ReadResult:
    """Read one frame and wait for the result.

    Args:
        host: Runs the worker.
        frame: Image and options.
        timeout: Seconds; the supervisor's own deadline is shorter.
    """
    answers: queue.Queue[ReadResult] = queue.Queue()
    host.submit(ReadJob(frame.jpeg, answers.put, frame.options))
    return answers.get(timeout=timeout)


def started(arguments: Sequence[str], python: str, spare: str) -> WorkerSupervisor:
    """Return a host whose worker is ready.

    Args:
        arguments: Command line of the worker.
        python: Its interpreter; "" = this one.
        spare: Mode of the standby worker.

    Raises:
        SystemExit: The worker did not start within two minutes.
    """
    host = WorkerSupervisor(arguments, python=python, deadline=30.0, spare=spare)
    until = time.monotonic() + 120
    while not host.state.ready:
        if time.monotonic() > until:
            host.close()
            raise SystemExit(f'the worker did not start: {host.state.message}')
        time.sleep(0.05)
    return host


@dataclass(frozen=True)
class Memory:
    """Memory of the worker over the readings."""

    after_warm_up: int
    least: int
    most: int
    last: int
    restarts: int

    @property
    def flat(self) -> bool:
        """Whether the memory stayed in its band, without a restart of the worker."""
        low, high = (self.after_warm_up * (1 + sign * BAND) for sign in (-1, 1))
        return low <= self.least and self.most <= high and not self.restarts


def endure(host: WorkerSupervisor, pictures: Sequence[Frame], reads: int, warm_up: int, verbose: bool = False) -> Memory:
    """Read the images in turn and record the memory of the worker.

    Args:
        host: Runs the worker.
        pictures: Images, repeated as often as needed.
        reads: Readings that count.
        warm_up: Readings before them, in which buffers and caches fill.
        verbose: Print a line every 200 readings.
    """
    seen, starts = [], host.state.starts
    began = time.monotonic()
    for at, frame in enumerate(itertools.islice(itertools.cycle(pictures), warm_up + reads)):
        read(host, frame)
        if at >= warm_up:
            seen.append(host.state.memory)
        if verbose and at % 200 == 0:
            print(f'{at:6} reads, {time.monotonic() - began:6.0f} s, {host.state.memory / MEGABYTE:6.1f} MB', flush=True)
    return Memory(statistics.median_low(seen[:20]), min(seen), max(seen), seen[-1], host.state.starts - starts)


def kill_and_read(host: WorkerSupervisor, frame: Frame, delay: float, careful: bool) -> tuple[float, bool]:
    """Kill the worker during a reading or its start; return the duration of the next reading, and whether it succeeded.

    Args:
        host: Runs the worker.
        frame: Read carefully, so that the reading still runs when the worker is killed.
        delay: Seconds from the request of the reading to the kill.
        careful: Make the next reading a careful one, which takes longer.
    """
    under_way: queue.Queue[ReadResult] = queue.Queue()
    host.submit(ReadJob(frame.jpeg, under_way.put, frame.options))
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        if host.state.pid:
            os.kill(host.state.pid, signal.SIGKILL)
    # The supervisor answers a lost job as failed; without this the next reading would be timed from too early.
    under_way.get(timeout=60)
    began = time.monotonic()
    answer = read(host, replace(frame, options=ReadOptions(**{**frame.options, 'careful': careful})))
    return time.monotonic() - began, bool(answer.reading and answer.reading.readings)


def main() -> int:
    """Run the bench; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--reads', type=int, default=10_000)
    parser.add_argument('--warm-up', type=int, default=500)
    parser.add_argument('--pictures', type=int, default=400, help='number of different images, read in turn')
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--engine', default='ppocr')
    parser.add_argument('--python', default='')
    parser.add_argument('--model-dir', default='')
    parser.add_argument('--spare', choices=STANDBY_MODES, default='light')
    parser.add_argument('--cache-dir', default='~/.cache/cell/ocr')
    options = parser.parse_args()
    host = started(
        ['--engine', options.engine, '--model-dir', options.model_dir, '--cache-dir', options.cache_dir],
        options.python,
        options.spare,
    )
    pictures = frames(options.pictures, seed=1)
    good = True
    if options.reads:
        memory = endure(host, pictures, options.reads, options.warm_up, verbose=True)
        change = [(value / memory.after_warm_up - 1) * 100 for value in (memory.least, memory.most, memory.last)]
        print(
            f'{options.reads} reads after {options.warm_up}: {memory.after_warm_up / MEGABYTE:.1f} MB after the warm-up, '
            f'least {change[0]:+.1f} %, most {change[1]:+.1f} %, last {change[2]:+.1f} %, {memory.restarts} restarts'
            f'{"" if memory.flat else "   NOT FLAT"}'
        )
        good = memory.flat
    if options.kills:
        dice = random.Random(2)
        label = next(frame for frame in pictures if frame.options['careful'])
        for careful in (False, True):
            done = [kill_and_read(host, label, dice.uniform(0.0, 0.6), careful) for _ in range(options.kills // 2)]
            times = sorted(seconds for seconds, _ in done)
            print(
                f'{len(done)} kills: next {"careful" if careful else "plain"} reading after {statistics.median(times):.2f} s '
                f'(median), {times[-1]:.2f} s (longest); {sum(was_read for _, was_read in done)} read the label'
            )
            good = good and times[-1] < LIMIT_S
    host.close()
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
