"""Camera, reader and matcher in one graph, with a real MJPEG stream and the real engine."""

from __future__ import annotations

import json
import os
import signal
import time

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.qos import sensor_stream
from cell_common.testing import NodeGraph, matched_subscribers, wait_until
from cell_vision.camera.node import CameraNode
from cell_vision.matching.node import MatcherNode
from cell_vision.ocr.node import OcrNode
from cell_vision.ocr.worker.supervisor import WorkerSupervisor
from diagnostic_msgs.msg import DiagnosticArray
from domain_coordinator import domain_id
from geometry_msgs.msg import Point32
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger

from cell_interfaces.msg import CodeReading, MatchResult, OcrResult, ResultCode
from cell_interfaces.srv import GetBenchmarks, GetCrop, KeepFrame, MatchPart, ReadText, StoreBenchmark

TRAYS = (
    '[{count: 1, capacity: 9, low: 0}, {count: 0, capacity: 9, low: 0}, {count: 0, capacity: 9, low: 0}, '
    '{count: 0, capacity: 9, low: 0}]'
)


@pytest.fixture
def catalogue_file(tmp_path):
    parts = ''.join(
        f'  - {{part_number: {number}, letter: {letter}, code: {number}, trays: {TRAYS}}}\n'
        for number, letter in [('EM1-2U1', 'A'), ('EM1-2U4', 'C'), ('G8NB-17SR', 'E')]
    )
    path = tmp_path / 'parts.yaml'
    path.write_text(f'parts:\n{parts}')
    return str(path)


@pytest.fixture(scope='module')
def graph():
    """One graph for all tests of this module: the reader takes seconds to warm up."""
    with domain_id() as number:
        running = NodeGraph(int(number))
        yield running
        running.close()


@pytest.fixture(scope='module')
def ip_camera(fake_camera):
    camera = fake_camera()
    yield camera
    camera.close()


@pytest.fixture(scope='module')
def kept_folder(tmp_path_factory):
    return tmp_path_factory.mktemp('kept')


@pytest.fixture(scope='module')
def seeing(graph, ip_camera, kept_folder):
    camera = graph.add(CameraNode(**graph.options(source=ip_camera.url, frame_rate=20.0, frozen_after=0.0)))
    ocr = graph.add(
        OcrNode(**graph.options(read_timeout=20.0, codes=['QRCode', 'DataMatrix'], kept_frames_folder=str(kept_folder)))
    )
    frames = graph.collect(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
    wait_until(lambda: frames, what='a frame')
    wait_until(lambda: ocr.worker_status.ready, 60, 'the engine')
    return camera, ocr


@pytest.fixture
def matcher(graph, catalogue_file, tmp_path):
    node = graph.add(MatcherNode(**graph.options(catalogue_file=catalogue_file, database_url=f'sqlite:///{tmp_path}/cell.db')))
    yield node
    for left in [node for node in graph.nodes if isinstance(node, MatcherNode)]:
        graph.remove(left)


def read(graph, **request):
    return graph.call(ReadText, 'ocr/read', ReadText.Request(request_id='r1', **request), timeout=30)


def show(ip_camera, ocr, picture):
    """Put another picture before the camera, and wait until no frame of the old one is on its way any more."""
    ip_camera.picture = picture
    wait_until(lambda: picture in ocr.newest_frame.data, what='the picture')


def test_the_part_in_front_of_the_camera_is_read_and_matched(graph, seeing, matcher, ip_camera):
    newer_than = graph.node.get_clock().now().to_msg()
    answer = read(graph, newer_than=newer_than)
    assert (answer.code, answer.result.status) == (ResultCode.OK, OcrResult.OK), answer.message
    assert answer.result.request_id == 'r1' and answer.result.image_width == 1280
    assert answer.result.header.stamp.sec >= newer_than.sec and 0 <= answer.result.frame_age < 30
    verdict = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=answer.result))
    assert verdict.result.verdict == MatchResult.MATCH, verdict.result.reason
    assert verdict.result.part_number == 'EM1-2U1' and len(verdict.result.polygon) == 4
    wrong = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U4', ocr=answer.result))
    assert wrong.result.verdict == MatchResult.MISMATCH and wrong.result.part_number == 'EM1-2U1'


@pytest.mark.parametrize('seconds', [-1, 601, 2**31 - 1])
def test_a_timeout_outside_its_range_is_refused(graph, seeing, seconds):
    answer = read(graph, timeout=Duration(sec=seconds))
    assert answer.code == ResultCode.INVALID_ARGUMENT and answer.message.startswith('timeout is')


def test_an_ordered_part_that_is_not_in_the_catalogue_is_refused(graph, matcher):
    answer = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='NOT-THERE'))
    assert answer.code == ResultCode.UNKNOWN_PART


def test_after_a_killed_worker_the_next_reading_is_answered(graph, seeing):
    _, ocr = seeing
    assert read(graph).code == ResultCode.OK
    os.kill(ocr.worker_status.pid, signal.SIGKILL)
    wait_until(lambda: not ocr.worker_status.ready, what='the loss')
    answer = read(graph)  # bench/endurance.py measures how soon
    assert answer.code in {ResultCode.OK, ResultCode.ENGINE_FAILED}
    wait_until(lambda: ocr.worker_status.ready, 60, 'the engine')
    assert read(graph).code == ResultCode.OK and ocr.worker_status.starts == 2


def test_a_worker_killed_while_it_reads_gives_a_clear_result(graph, seeing):
    _, ocr = seeing
    wait_until(lambda: ocr.worker_status.ready, 60, 'the engine')
    client = graph.node.create_client(ReadText, 'ocr/read')
    wait_until(client.service_is_ready)
    os.kill(ocr.worker_status.pid, signal.SIGSTOP)
    future = client.call_async(ReadText.Request())
    wait_until(lambda: ocr.worker_status.busy, what='the reading')
    os.kill(ocr.worker_status.pid, signal.SIGKILL)
    wait_until(future.done)
    answer = future.result()
    assert (answer.code, answer.result.status) == (ResultCode.ENGINE_FAILED, OcrResult.FAILED)
    assert 'restarted' in answer.message
    wait_until(lambda: ocr.worker_status.ready, 60, 'the engine')


def test_a_careful_reading_reads_only_its_first_frame_carefully(graph, seeing, ip_camera, monkeypatch):
    _, ocr = seeing
    wait_until(lambda: ocr.worker_status.ready, 60, 'the engine')
    shown, gray = ip_camera.picture, bytes(cv2.imencode('.jpg', np.full((720, 1280, 3), 90, np.uint8))[1])
    show(ip_camera, ocr, gray)
    careful, submit = [], WorkerSupervisor.submit
    monkeypatch.setattr(
        WorkerSupervisor, 'submit', lambda worker, job: (careful.append(job.options['careful']), submit(worker, job))
    )
    try:
        answer = read(graph, newer_than=graph.node.get_clock().now().to_msg(), frames=3, careful=True)
    finally:
        show(ip_camera, ocr, shown)
    assert (answer.result.status, answer.result.frames) == (OcrResult.NO_TEXT, 3)
    assert careful == [True, False, False]


def test_without_a_newer_frame_the_reading_says_so(graph, seeing):
    request = {'newer_than': Time(sec=2_000_000_000), 'timeout': Duration(nanosec=200_000_000)}
    answer = read(graph, **request)
    assert (answer.code, answer.result.status) == (ResultCode.NO_FRAME, OcrResult.NO_FRAME)
    assert 'check the camera' in answer.message


def test_an_image_in_the_request_is_read_instead_of_the_camera(graph, seeing, compress, draw):
    image = CompressedImage(format='jpeg', data=compress(draw('G8NB-17SR')))
    answer = read(graph, image=image)
    assert answer.code == ResultCode.OK, answer.message
    assert [text.text for text in answer.result.texts] == ['G8NB-17SR']
    damaged = CompressedImage(format='jpeg', data=b'this is no picture')
    assert read(graph, image=damaged).code == ResultCode.BAD_IMAGE


@pytest.fixture
def uncertain(graph, seeing, ip_camera, compress, draw):
    """The camera shows a label without a number: no reading of it is certain."""

    def sees(text):
        return [found.text for found in read(graph, newer_than=now(graph), frames=1).result.texts] == [text]

    with_number = ip_camera.picture
    ip_camera.picture = compress(draw('KESTREL'))
    wait_until(lambda: sees('KESTREL'))
    yield
    ip_camera.picture = with_number
    wait_until(lambda: sees('EM1-2U1'))


def now(graph):
    return graph.node.get_clock().now().to_msg()


def test_an_uncertain_frame_is_followed_by_others(graph, seeing, uncertain):
    result = read(graph, newer_than=now(graph), frames=4).result
    assert (result.frames, result.status) == (4, OcrResult.OK)
    assert read(graph, newer_than=now(graph), frames=1).result.frames == 1
    assert read(graph, newer_than=now(graph)).result.frames == 3, "the node's own number"


def test_one_certain_frame_is_not_followed_by_others(graph, seeing):
    newer_than = now(graph)
    answer = read(graph, newer_than=newer_than, frames=4).result
    assert answer.frames == 1
    assert (answer.header.stamp.sec, answer.header.stamp.nanosec) > (newer_than.sec, newer_than.nanosec)


def test_a_camera_that_stops_after_the_first_frame_leaves_the_reading_of_that_one(graph, seeing, uncertain):
    client = graph.node.create_client(ReadText, 'ocr/read')
    wait_until(client.service_is_ready)
    assert graph.call(Trigger, 'camera/stop', Trigger.Request()).success
    begun = time.monotonic()
    answer = client.call_async(ReadText.Request(frames=5))
    wait_until(answer.done)
    assert graph.call(Trigger, 'camera/start', Trigger.Request()).success
    assert answer.result().code == ResultCode.OK and 1 <= answer.result().result.frames < 5
    assert time.monotonic() - begun < 15


def get_crop(graph, request_id, polygon=()):
    answer = graph.call(GetCrop, 'ocr/get_crop', GetCrop.Request(request_id=request_id, polygon=list(polygon)))
    assert answer.crop.format == ('jpeg' if answer.code == ResultCode.OK else ''), answer.message
    data = np.frombuffer(bytes(answer.crop.data), np.uint8)
    return answer.code, cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None


def test_an_upright_crop_of_a_reading_and_of_the_text_that_decided_is_served_by_request_id(graph, seeing, matcher):
    result = read(graph, newer_than=now(graph)).result
    assert result.has_crop and result.crop_polygon[0].x < result.crop_polygon[1].x
    code, crop = get_crop(graph, 'r1')
    assert code == ResultCode.OK and crop.shape[1] > 2 * crop.shape[0] and max(crop.shape) <= 480
    verdict = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=result)).result
    code, text = get_crop(graph, 'r1', verdict.polygon)
    assert code == ResultCode.OK and text.size <= crop.size
    assert get_crop(graph, 'r1', [Point32(x=9000.0 + x, y=9000.0 + y) for x, y in ((0, 0), (9, 0), (9, 9), (0, 9))]) == (
        ResultCode.INVALID_ARGUMENT,
        None,
    )
    assert get_crop(graph, 'another') == (ResultCode.UNKNOWN_READING, None)


def test_a_code_in_the_picture_is_read_beside_the_text(graph, seeing, compress, draw):
    import zxingcpp

    picture = draw('EM1-2U1')
    code = np.array(zxingcpp.create_barcode('lot 7', zxingcpp.BarcodeFormat.QRCode).to_image(scale=5))
    picture[60 : 60 + code.shape[0], 60 : 60 + code.shape[1]] = code[:, :, None]
    result = read(graph, image=CompressedImage(format='jpeg', data=compress(picture))).result
    assert [(found.format, found.text) for found in result.codes] == [('QRCode', 'lot 7')]
    assert 40 < result.codes[0].polygon[0].x < 90
    assert [text.text for text in result.texts] == ['EM1-2U1']


def test_a_code_that_contradicts_the_print_stops_the_match(graph, seeing, matcher):
    result = read(graph, newer_than=now(graph)).result
    ask = MatchPart.Request(expected_part_number='EM1-2U1', ocr=result)
    ask.ocr.codes = [CodeReading(format='DataMatrix', text='G8NB-17SR')]
    answer = graph.call(MatchPart, 'matching/match', ask).result
    assert answer.verdict == MatchResult.AMBIGUOUS and 'G8NB-17SR' in answer.reason
    ask.ocr.status, ask.ocr.texts = OcrResult.NO_TEXT, []
    answer = graph.call(MatchPart, 'matching/match', ask).result
    assert (answer.verdict, answer.decided_by, answer.part_number) == (MatchResult.MISMATCH, MatchResult.BY_CODE, 'G8NB-17SR')


def test_the_frame_of_a_reading_is_kept_and_corrected_by_its_request_id(graph, seeing, kept_folder):
    assert read(graph, newer_than=now(graph)).code == ResultCode.OK
    label = KeepFrame.Request(request_id='r1', kind=KeepFrame.Request.REJECT, part_number='EM1-2U4', verdict='MISMATCH EM1-2U1')
    answer = graph.call(KeepFrame, 'ocr/keep_frame', label)
    assert answer.code == ResultCode.OK, answer.message
    assert (kept_folder / answer.file).read_bytes()[:2] == b'\xff\xd8'
    right = KeepFrame.Request(request_id='r1', kind=KeepFrame.Request.CORRECTION, part_number='EM1-2U1')
    assert graph.call(KeepFrame, 'ocr/keep_frame', right).file == answer.file
    assert json.loads((kept_folder / 'truth.json').read_text()) == [{'file': answer.file, 'part_number': 'EM1-2U1'}]


@pytest.mark.parametrize(
    ('request_id', 'kind', 'code'),
    [
        ('not requested', 0, ResultCode.UNKNOWN_READING),
        ('', 0, ResultCode.INVALID_ARGUMENT),
        ('r1', 9, ResultCode.INVALID_ARGUMENT),
    ],
)
def test_a_frame_that_cannot_be_kept_is_refused_with_the_reason(graph, seeing, request_id, kind, code):
    answer = graph.call(KeepFrame, 'ocr/keep_frame', KeepFrame.Request(request_id=request_id, kind=kind))
    assert answer.code == code and answer.message and not answer.file


def test_a_benchmark_is_stored_counted_and_still_there_after_a_restart(graph, matcher, catalogue_file, tmp_path):
    from cell_vision.ocr.conversions import text_message
    from cell_vision.types import Reading

    square = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))
    good = OcrResult(status=OcrResult.OK, frames=4, texts=[text_message(Reading('EM1-2U1S', 0.97, square))])
    stored = graph.call(StoreBenchmark, 'matching/store_benchmark', StoreBenchmark.Request(part_number='EM1-2U1', ocr=good))
    good.frames = 1
    assert (stored.code, stored.version) == (ResultCode.OK, 1), stored.message
    again = graph.call(StoreBenchmark, 'matching/store_benchmark', StoreBenchmark.Request(part_number='EM1-2U1', ocr=good))
    assert again.version == 2
    assert graph.call(GetBenchmarks, 'matching/benchmarks', GetBenchmarks.Request(part_number='EM1-2U4')).benchmarks == []
    graph.remove(matcher)
    graph.add(MatcherNode(**graph.options(catalogue_file=catalogue_file, database_url=f'sqlite:///{tmp_path}/cell.db')))
    verdict = graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=good)).result
    assert (verdict.verdict, verdict.decided_by) == (MatchResult.MATCH, MatchResult.BY_BENCHMARK)
    newest = graph.call(GetBenchmarks, 'matching/benchmarks', GetBenchmarks.Request()).benchmarks
    assert [(one.part_number, one.version, one.frames) for one in newest] == [('EM1-2U1', 2, 1)]
    every = graph.call(GetBenchmarks, 'matching/benchmarks', GetBenchmarks.Request(part_number='EM1-2U1')).benchmarks
    assert [(one.version, one.frames, one.texts) for one in every] == [(2, 1, ['EM1-2U1S']), (1, 4, ['EM1-2U1S'])]
    assert abs(every[0].stamp.sec - time.time()) < 60


@pytest.mark.parametrize('text, code', [('EM1-2U4', ResultCode.INVALID_ARGUMENT), ('MALAYSIA', ResultCode.INVALID_ARGUMENT)])
def test_a_benchmark_that_does_not_show_the_part_is_refused(graph, matcher, text, code):
    from cell_vision.ocr.conversions import text_message
    from cell_vision.types import Reading

    square = ((0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0))
    ocr = OcrResult(status=OcrResult.OK, texts=[text_message(Reading(text, 0.97, square))])
    assert (
        graph.call(StoreBenchmark, 'matching/store_benchmark', StoreBenchmark.Request(part_number='EM1-2U1', ocr=ocr)).code
        == code
    )


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
    wait_until(lambda: matched_subscribers(seeing[1], 'ocr/overlay/compressed'))
    answer = read(graph)
    wait_until(lambda: len(drawn) == 1, what='the reading')
    graph.call(MatchPart, 'matching/match', MatchPart.Request(expected_part_number='EM1-2U1', ocr=answer.result))
    wait_until(lambda: len(drawn) == 2, what='the verdict')
    assert drawn[1].header.stamp == answer.result.header.stamp and bytes(drawn[1].data[:2]) == b'\xff\xd8'
