import pytest
from builtin_interfaces.msg import Time
from cell_common.qos import latched
from cell_common.testing import wait_until

from cell_interfaces.msg import (
    BenchmarkSet,
    MatchResult,
    ResultCode,
)
from cell_interfaces.srv import CaptureComponent

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
SUCCEEDED, NOT_SENT, REFUSED, UNKNOWN = range(4)


def test_a_benchmark_is_presented_read_stored_and_returned(cell):
    cell.up()
    published = cell.graph.collect(BenchmarkSet, 'benchmark_set', latched())
    answer = cell.set_benchmark()
    assert (answer.code, answer.benchmark.version, answer.benchmark.texts) == (ResultCode.OK, 1, [PART])
    assert answer.benchmark.frames == cell.vision.asked[-1].frames == 5
    wait_until(lambda: published)
    assert cell.robot.events() == ['BENCHMARK', 'HOME']


def test_the_newest_stored_benchmark_is_latched_after_a_restart(cell):
    stored = [
        BenchmarkSet(part_number=part, version=version, texts=[part], stamp=Time(sec=sec))
        for part, version, sec in ((PART, 2, 200), (OTHER, 1, 100))
    ]
    published = cell.graph.collect(BenchmarkSet, 'benchmark_set', latched())
    cell.up()
    cell.vision.benchmarks = stored
    cell.vision.offer_benchmarks()
    wait_until(lambda: published)
    assert [(mark.part_number, mark.version) for mark in published] == [(PART, 2)]
    cell.set_benchmark(OTHER)
    assert wait_until(lambda: published[1:])[0].part_number == OTHER


@pytest.mark.parametrize(
    ('script', 'supply', 'code'),
    [({'BENCHMARK': [REFUSED]}, [], ResultCode.ROBOT_REFUSED), ({}, [''], ResultCode.INVALID_ARGUMENT)],
)
def test_a_benchmark_that_cannot_be_read_is_rejected(cell, script, supply, code):
    cell.up()
    cell.robot.script.update(script)
    cell.robot.supply.extend(supply)
    assert cell.set_benchmark().code == code
    assert cell.result(cell.run(1)).code == ResultCode.OK


def test_a_single_capture_moves_nothing(cell):
    cell.up()
    cell.robot.in_gripper = OTHER
    request = CaptureComponent.Request(part_number=PART)
    answer = cell.graph.call(CaptureComponent, 'capture_component', request)
    assert (answer.code, answer.capture.match.verdict, answer.capture.job_id) == (ResultCode.OK, MatchResult.MISMATCH, '')
    assert not cell.robot.sent


def test_a_capture_without_a_part_is_compared_with_the_newest_benchmark(cell):
    cell.up()
    cell.robot.in_gripper = PART
    ask = CaptureComponent.Request()
    answer = cell.graph.call(CaptureComponent, 'capture_component', ask)
    assert answer.code == ResultCode.INVALID_ARGUMENT and 'neither a job nor a benchmark' in answer.message
    assert cell.set_benchmark(OTHER).code == ResultCode.OK
    cell.robot.in_gripper = PART
    answer = cell.graph.call(CaptureComponent, 'capture_component', ask)
    assert (answer.code, answer.capture.match.verdict) == (ResultCode.OK, MatchResult.MISMATCH)
    assert cell.graph.call(
        CaptureComponent, 'capture_component', CaptureComponent.Request(part_number=PART)
    ).capture.match.verdict == (MatchResult.MATCH)
