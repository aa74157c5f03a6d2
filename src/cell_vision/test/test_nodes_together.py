"""Camera, reader and matcher in one graph, with a real MJPEG stream and the real engine."""

from __future__ import annotations

import os
import signal
import time

import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.qos import stream
from cell_common.testing import Graph, wait_until
from cell_vision.camera_node import CameraNode
from cell_vision.matcher_node import MatcherNode
from cell_vision.ocr_node import OcrNode
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger

from cell_interfaces.msg import MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import MatchPart, ReadText, StoreBenchmark

TRAYS = '[{count: 1, capacity: 9, low: 0}, {count: 0, capacity: 9, low: 0}, {count: 0, capacity: 9, low: 0}, ' \
        '{count: 0, capacity: 9, low: 0}]'


@pytest.fixture
def catalogue_file(tmp_path):
    parts = ''.join(f'  - {{part_number: {number}, letter: {letter}, trays: {TRAYS}}}\n'
                    for number, letter in [('EM1-2U1', 'A'), ('EM1-2U4', 'C'), ('G8NB-17SR', 'E')])
    path = tmp_path / 'parts.yaml'
    path.write_text(f'parts:\n{parts}')
    return str(path)


@pytest.fixture(scope='module')
def graph():
    """One graph for all tests of this module: the reader takes seconds to warm up."""
    with domain_id() as number:
        running = Graph(int(number))
        yield running
        running.close()


@pytest.fixture(scope='module')
def ip_camera(fake_camera):
    camera = fake_camera()
    yield camera
    camera.close()


@pytest.fixture(scope='module')
def seeing(graph, ip_camera):
    camera = graph.add(CameraNode(**graph.options(source=ip_camera.url, frame_rate=20.0, frozen_after=0.0)))
    ocr = graph.add(OcrNode(**graph.options(read_timeout=20.0)))
    frames = graph.collect(CompressedImage, 'camera/image_raw/compressed', stream())
    wait_until(lambda: frames, what='a frame')
    wait_until(lambda: ocr._host.state.ready, 60, 'the engine')
    return camera, ocr


@pytest.fixture
def matcher(graph, catalogue_file, tmp_path):
    node = graph.add(MatcherNode(**graph.options(catalogue_file=catalogue_file, database_url=f'sqlite:///{tmp_path}/cell.db')))
    yield node
    for left in [node for node in graph.nodes if isinstance(node, MatcherNode)]:
        graph.remove(left)


def read(graph, **request):
    return graph.call(ReadText, 'ocr/read', ReadText.Request(request_id='r1', **request), timeout=30)


def test_the_part_in_front_of_the_camera_is_read_and_matched(graph, seeing, matcher, ip_camera):
    newer_than = graph.node.get_clock().now().to_msg()
    answer = read(graph, newer_than=newer_than)
    assert (answer.code, answer.result.status) == (ResultCode.OK, OcrResult.OK), answer.message
    assert answer.result.request_id == 'r1' and answer.result.image_width == 1280
    assert answer.result.header.stamp.sec >= newer_than.sec and 0 <= answer.result.frame_age < 5
    verdict = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=answer.result))
    assert verdict.result.verdict == MatchResult.MATCH, verdict.result.reason
    assert verdict.result.part_number == 'EM1-2U1' and len(verdict.result.polygon) == 4
    wrong = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U4', ocr=answer.result))
    assert wrong.result.verdict == MatchResult.MISMATCH and wrong.result.part_number == 'EM1-2U1'


def test_an_ordered_part_that_is_not_in_the_catalogue_is_refused(graph, matcher):
    answer = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='NOT-THERE'))
    assert answer.code == ResultCode.UNKNOWN_PART


def test_a_killed_worker_fails_that_reading_and_the_next_one_is_answered_within_three_seconds(graph, seeing):
    _, ocr = seeing
    assert read(graph).code == ResultCode.OK
    os.kill(ocr._host.state.pid, signal.SIGKILL)
    wait_until(lambda: not ocr._host.state.ready, what='the loss')
    before = time.monotonic()
    answer = read(graph)
    assert answer.code in {ResultCode.OK, ResultCode.ENGINE_FAILED}
    assert time.monotonic() - before < 3.0, answer.message
    wait_until(lambda: ocr._host.state.ready, 60, 'the engine')
    assert read(graph).code == ResultCode.OK and ocr._host.state.starts == 2


def test_a_worker_killed_while_it_reads_gives_a_clear_result(graph, seeing):
    _, ocr = seeing
    wait_until(lambda: ocr._host.state.ready, 60, 'the engine')
    client = graph.node.create_client(ReadText, 'ocr/read')
    wait_until(client.service_is_ready)
    os.kill(ocr._host.state.pid, signal.SIGSTOP)
    future = client.call_async(ReadText.Request())
    wait_until(lambda: ocr._host._running is not None, what='the reading')
    os.kill(ocr._host.state.pid, signal.SIGKILL)
    wait_until(future.done)
    answer = future.result()
    assert (answer.code, answer.result.status) == (ResultCode.ENGINE_FAILED, OcrResult.FAILED)
    assert 'started again' in answer.message
    wait_until(lambda: ocr._host.state.ready, 60, 'the engine')


def test_without_a_newer_frame_the_reading_says_so(graph, seeing):
    request = {'newer_than': Time(sec=2_000_000_000), 'timeout': Duration(nanosec=200_000_000)}
    answer = read(graph, **request)
    assert (answer.code, answer.result.status) == (ResultCode.NO_FRAME, OcrResult.NO_FRAME)
    assert 'check the camera' in answer.message


def test_an_image_in_the_request_is_read_instead_of_the_camera(graph, seeing, compress, draw):
    image = CompressedImage(format='jpeg', data=compress(draw('G8NB-17SR')))
    answer = read(graph, image=image)
    assert [text.text for text in answer.result.texts] == ['G8NB-17SR']
    damaged = CompressedImage(format='jpeg', data=b'this is no picture')
    assert read(graph, image=damaged).code == ResultCode.BAD_IMAGE


def test_a_benchmark_is_stored_counted_and_still_there_after_a_restart(graph, matcher, catalogue_file, tmp_path):
    from cell_vision.ocr_messages import text_message
    from cell_vision.reading import Reading

    square = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))
    good = OcrResult(status=OcrResult.OK, texts=[text_message(Reading('EM1-2U1S', 0.97, square))])
    stored = graph.call(StoreBenchmark, 'matching/store_benchmark', StoreBenchmark.Request(part_number='EM1-2U1', ocr=good))
    assert (stored.code, stored.version) == (ResultCode.OK, 1), stored.message
    again = graph.call(StoreBenchmark, 'matching/store_benchmark', StoreBenchmark.Request(part_number='EM1-2U1', ocr=good))
    assert again.version == 2
    graph.remove(matcher)
    graph.add(MatcherNode(**graph.options(catalogue_file=catalogue_file, database_url=f'sqlite:///{tmp_path}/cell.db')))
    verdict = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=good)).result
    assert (verdict.verdict, verdict.decided_by) == (MatchResult.MATCH, MatchResult.BY_BENCHMARK)


@pytest.mark.parametrize('text, code', [('EM1-2U4', ResultCode.INVALID_ARGUMENT), ('MALAYSIA', ResultCode.INVALID_ARGUMENT)])
def test_a_benchmark_that_does_not_show_the_part_is_refused(graph, matcher, text, code):
    from cell_vision.ocr_messages import text_message
    from cell_vision.reading import Reading

    square = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))
    ocr = OcrResult(status=OcrResult.OK, texts=[text_message(Reading(text, 0.97, square))])
    assert graph.call(StoreBenchmark, 'matching/store_benchmark',
                      StoreBenchmark.Request(part_number='EM1-2U1', ocr=ocr)).code == code


def test_an_expired_benchmark_command_is_refused(graph, matcher):
    request = StoreBenchmark.Request(part_number='EM1-2U1')
    request.command.issued_at.sec, request.command.valid_for.sec = 1, 5
    assert graph.call(StoreBenchmark, 'matching/store_benchmark', request).code == ResultCode.EXPIRED


def test_the_camera_stops_starts_and_says_so_in_its_diagnostics(graph, seeing, ip_camera):
    health = graph.collect(DiagnosticArray, '/diagnostics')
    fault = ip_camera.faults.append

    def camera():
        found = [s for m in health for s in m.status if s.name == 'cell/camera: capture']
        return (found[-1].level[0], found[-1].message) if found else (-1, '')

    wait_until(lambda: camera()[0] == 0, what='camera OK')
    assert graph.call(Trigger, 'camera/stop', Trigger.Request()).success
    wait_until(lambda: camera()[0] == 1 and 'camera/start' in camera()[1], what='camera stopped')
    assert graph.call(Trigger, 'camera/start', Trigger.Request()).success
    wait_until(lambda: camera()[0] == 0, what='camera OK again')
    ip_camera.refuse = 503
    fault('drop')
    wait_until(lambda: camera()[0] == 2 and '503' in camera()[1], what='camera lost')
    ip_camera.refuse = 0
    wait_until(lambda: camera()[0] == 0, what='camera OK once more')


def test_the_overlay_is_drawn_for_those_who_look(graph, seeing, matcher):
    drawn = graph.collect(CompressedImage, 'ocr/overlay/compressed')
    wait_until(seeing[1]._overlay._publisher.get_subscription_count)
    answer = read(graph)
    wait_until(lambda: len(drawn) == 1, what='the reading')
    graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=answer.result))
    wait_until(lambda: len(drawn) == 2, what='the verdict')
    assert drawn[1].header.stamp == answer.result.header.stamp and bytes(drawn[1].data[:2]) == b'\xff\xd8'
