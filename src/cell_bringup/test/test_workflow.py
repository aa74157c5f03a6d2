"""`cell workflow`: from images to a trigger, with a stand-in reader, the cell's own reader, and a hub on a real socket."""

import io
import json
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from cell_bringup.cli import parser
from cell_bringup.workflow import MATCH, NO_MATCH, WRONG_USE, run_workflow
from cell_common.testing import free_port
from cell_robot.testing.fake_hub import FakeHub, stay_silent
from rich.console import Console

pytestmark = pytest.mark.slow

NO_HUBS = ('', 'foo', '127.0.0.1:5002', 'ftp://h', 'http://', 'http://[x', 'http://h:99999', 'http://h:0')
LETTER = ('--letter', 'F', '--part-number', 'G8NB-17SR')


class StandInReader:
    """Reads as many dark columns as an image starts with: the index of the text."""

    TEXTS = ('G8NB-17SR', 'EM1-2U1', '', '[G8NB] 17SR')

    def run_ocr(self, frame):
        text = self.TEXTS[int(frame[0, 0, 0]) // 10]
        rows = [{'text': text, 'score': 0.9}] if text else []
        polygons = [[[10, 40], [90, 40], [90, 60], [10, 60]]] if text else []
        return {'processed_frame': frame, 'det_polygons': polygons, 'rec_texts': rows}


@pytest.fixture
def image(tmp_path):
    """Return a function that writes an image which the stand-in reads as `text`."""

    def write(text='G8NB-17SR', name='part.png'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.full((80, 120, 3), 10 * StandInReader.TEXTS.index(text), np.uint8))
        return str(path)

    return write


@pytest.fixture
def workflow(tmp_path):
    """Return a function that runs the command; it returns the exit code and the output."""

    def run(*arguments, reader=StandInReader):
        out = io.StringIO()
        options = parser().parse_args(['workflow', '--output', str(tmp_path / 'overlays'), *arguments])
        return run_workflow(options, Console(file=out, width=300), reader), out.getvalue()

    return run


def test_a_part_that_matches_is_shown_with_its_overlay(workflow, image, tmp_path):
    code, said = workflow('--image', image(), '--benchmark', 'g8nb 17sr')
    assert code == MATCH and 'G8NB-17SR' in said and '1.00' in said
    overlay = cv2.imread(str(tmp_path / 'overlays' / 'part_png_overlay.png'))
    assert (overlay == (0, 255, 0)).all(axis=2).any() and (overlay == (0, 0, 255)).all(axis=2).any()


def test_a_part_that_does_not_match_is_exit_code_1(workflow, image):
    code, said = workflow('--image', image('EM1-2U1'), '--benchmark', 'G8NB-17SR')
    assert code == NO_MATCH and 'no match' in said


def test_a_part_without_a_text_does_not_match(workflow, image):
    assert workflow('--image', image(''), '--benchmark', 'G8NB-17SR')[0] == NO_MATCH


@pytest.mark.parametrize(('threshold', 'code'), [('1', MATCH), ('0.3', MATCH)])
def test_the_threshold_is_inclusive(workflow, image, threshold, code):
    assert workflow('--image', image(), '--benchmark', 'G8NB-17SR', '--threshold', threshold)[0] == code


def test_a_threshold_decides(workflow, image):
    near = ('--image', image(), '--benchmark', 'G8NB-17SU')
    assert workflow(*near, '--threshold', '0.8')[0] == MATCH
    assert workflow(*near, '--threshold', '0.95')[0] == NO_MATCH


def test_a_benchmark_image_is_read_first(workflow, image):
    good = image(name='good.png')
    assert workflow('--image', image(), '--benchmark-image', good)[0] == MATCH
    assert workflow('--image', image('EM1-2U1', 'other.png'), '--benchmark-image', good)[0] == NO_MATCH


def test_one_wrong_part_in_a_folder_fails_the_folder(workflow, image, tmp_path):
    image(name='tray/a.png')
    image(name='tray/b.jpg')
    (tmp_path / 'tray' / 'notes.txt').write_text('no image')
    folder = ('--image', str(tmp_path / 'tray'), '--benchmark', 'G8NB-17SR', '--json')
    code, said = workflow(*folder)
    assert code == MATCH and len(json.loads(said)['images']) == 2
    image('EM1-2U1', name='tray/c.png')
    code, said = workflow(*folder, '--pretend', *LETTER)
    result = json.loads(said)
    assert code == NO_MATCH and [row['match'] for row in result['images']] == [True, True, False]
    assert result['triggers'] == [], 'nothing is sent'


def test_json_holds_the_whole_result(workflow, image):
    code, said = workflow('--image', image(), '--benchmark', 'G8NB-17SR', '--json', '--pretend', *LETTER)
    result = json.loads(said)
    assert code == MATCH and result['match'] is True and result['hub'] == 'pretended' and result['threshold'] == 0.6
    assert result['images'][0]['texts'] == ['G8NB-17SR'] and result['images'][0]['score'] == 1.0
    assert [trigger['event'] for trigger in result['triggers']] == ['PART_G8NB-17SR', 'START_PROGRAM']


def test_brackets_in_a_reading_are_shown(workflow, image):
    assert '[G8NB] 17SR' in workflow('--image', image('[G8NB] 17SR'), '--benchmark', 'G8NB-17SR')[1]


def test_a_hub_gets_the_letter_then_the_program_start(workflow, image):
    with FakeHub(free_port()) as hub:
        code, said = workflow('--image', image(), '--benchmark', 'G8NB-17SR', '--hub', hub.url, *LETTER)
        assert [(t['trigger'], t['event'], t['part_number']) for t in hub.triggers] == [
            ('F', 'PART_G8NB-17SR', 'G8NB-17SR'),
            ('D', 'START_PROGRAM', ''),
        ]
    assert code == MATCH and 'acknowledged' in said


def test_a_hub_gets_nothing_for_a_part_that_does_not_match(workflow, image):
    with FakeHub(free_port()) as hub:
        code, _ = workflow('--image', image('EM1-2U1'), '--benchmark', 'G8NB-17SR', '--hub', hub.url, *LETTER)
        assert code == NO_MATCH and hub.triggers == []


def test_a_letter_that_is_not_acknowledged_starts_no_program(workflow, image):
    with FakeHub(free_port(), [stay_silent]) as hub:
        arguments = ('--image', image(), '--benchmark', 'G8NB-17SR', '--hub', hub.url, '--ack-timeout', '0.3', *LETTER)
        code, said = workflow(*arguments)
        assert len(hub.triggers) == 1
    assert code == NO_MATCH and 'outcome unknown' in said


def test_a_hub_that_is_not_there_is_exit_code_1(workflow, image):
    url = f'http://127.0.0.1:{free_port()}'
    code, said = workflow('--image', image(), '--benchmark', 'G8NB-17SR', '--hub', url, *LETTER)
    assert code == NO_MATCH and 'not sent' in said


@pytest.mark.parametrize(
    'arguments',
    [
        ('--benchmark', 'A1', *LETTER),
        ('--benchmark', 'A1', '--pretend'),
        ('--benchmark', 'A1', '--part-number', 'A1'),
        ('--benchmark', '--- ?'),
        ('--benchmark-image', '/not/there.png'),
    ],
)
def test_a_check_that_cannot_be_made_is_exit_code_2(workflow, image, arguments):
    assert workflow('--image', image(), *arguments)[0] == WRONG_USE


def test_images_that_cannot_be_read_are_exit_code_2(workflow, tmp_path):
    (tmp_path / 'empty').mkdir()
    for name, data in (('zero.png', b''), ('text.png', b'no image')):
        (tmp_path / name).write_bytes(data)
        code, said = workflow('--image', str(tmp_path / name), '--benchmark', 'A1')
        assert code == WRONG_USE and name in said
    for path in (tmp_path / 'empty', tmp_path / 'none'):
        assert workflow('--image', str(path), '--benchmark', 'A1')[0] == WRONG_USE


def test_hidden_files_and_folders_beside_the_images_are_left_out(workflow, image, tmp_path):
    """macOS writes "._part.png" beside each file on a network share; a folder may be named like an image."""
    image(name='tray/part.png')
    (tmp_path / 'tray' / '._part.png').write_bytes(b'\0\5\x16\7')
    (tmp_path / 'tray' / 'old.png').mkdir()
    code, said = workflow('--image', str(tmp_path / 'tray'), '--benchmark', 'G8NB-17SR', '--json')
    assert code == MATCH and len(json.loads(said)['images']) == 1


def test_an_image_that_claims_a_huge_size_is_exit_code_2(workflow, tmp_path):
    header = b'IHDR' + struct.pack('>IIBBBBB', 200_000, 200_000, 8, 2, 0, 0, 0)
    path = tmp_path / 'huge.png'
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + struct.pack('>I', 13) + header + struct.pack('>I', zlib.crc32(header)))
    code, said = workflow('--image', str(path), '--benchmark', 'G8NB-17SR')
    assert code == WRONG_USE and 'no image that can be read' in said


def test_a_camera_that_is_not_there_is_exit_code_2(workflow):
    code, said = workflow('--camera', '97', '--benchmark', 'A1')
    assert code == WRONG_USE and '97' in said


@pytest.mark.parametrize(
    'arguments',
    [
        (),
        ('--image', 'a.png'),
        ('--benchmark', 'A1'),
        ('--image', 'a.png', '--camera', '1', '--benchmark', 'A1'),
        ('--image', 'a.png', '--benchmark', 'A1', '--benchmark-image', 'b.png'),
        ('--image', 'a.png', '--benchmark', 'A1', '--threshold', '0'),
        ('--image', 'a.png', '--benchmark', 'A1', '--threshold', 'nan'),
        ('--image', 'a.png', '--benchmark', 'A1', '--letter', 'FF'),
        ('--image', 'a.png', '--benchmark', 'A1', '--letter', '7'),
        ('--image', 'a.png', '--benchmark', 'A1', '--ack-timeout', 'inf'),
        ('--camera', '-1', '--benchmark', 'A1'),
        ('--image', 'a.png', '--benchmark', 'A1', '--letter', 'F', '--pretend', '--hub', 'http://h'),
        *(('--image', 'a.png', '--benchmark', 'A1', '--letter', 'F', '--hub', url) for url in NO_HUBS),
    ],
)
def test_wrong_options_are_exit_code_2(arguments):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(['workflow', *arguments])
    assert ended.value.code == WRONG_USE


def test_an_address_of_a_hub_without_a_scheme_is_refused_with_what_to_write(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(['workflow', '--image', 'a', '--benchmark', 'A', '--letter', 'F', '--hub', '127.0.0.1:5002'])
    assert 'write e.g. http://127.0.0.1:5002' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['[/red]x.png', '[old]', 'a\\\\[b]'])
def test_brackets_in_a_path_are_shown_in_the_error(workflow, name):
    code, said = workflow('--image', name, '--benchmark', 'A1')
    assert code == WRONG_USE and f'{name} is not there' in said


@pytest.mark.parametrize('name', ['[red]a[/blue].png', 'a\\\\[b].png', '[/].png'])
def test_brackets_in_a_path_are_shown_in_the_table(workflow, image, name):
    code, said = workflow('--image', image(name=name), '--benchmark', 'G8NB-17SR')
    assert code == MATCH and name in said


class FailingReader:
    error: type[Exception] = cv2.error

    def run_ocr(self, frame):
        raise self.error('out of memory [/x]')


@pytest.mark.parametrize('error', [cv2.error, RuntimeError, KeyError, MemoryError])
def test_a_reader_that_fails_is_exit_code_2(workflow, image, monkeypatch, error):
    monkeypatch.setattr(FailingReader, 'error', error)
    code, said = workflow('--image', image(), '--benchmark', 'A1', reader=FailingReader)
    assert code == WRONG_USE and error.__name__.split('.')[-1] in said and 'out of memory [/x]' in said


def test_a_reader_that_cannot_be_loaded_is_exit_code_2(workflow, image):
    def load():
        raise TypeError('no [/model]')

    code, said = workflow('--image', image(), '--benchmark', 'A1', reader=load)
    assert code == WRONG_USE and 'cannot be loaded: no [/model]' in said


def test_a_hub_client_that_cannot_be_made_is_exit_code_2(workflow, image, monkeypatch):
    def make(url):
        raise RuntimeError('RoboHubClient needs python-socketio')

    monkeypatch.setattr('cell_bringup.workflow.RoboHubClient', make)
    code, said = workflow('--image', image(), '--benchmark', 'G8NB-17SR', '--hub', 'http://h', *LETTER)
    assert code == WRONG_USE and 'needs python-socketio' in said


def test_a_folder_is_no_benchmark_image(workflow, image, tmp_path):
    code, said = workflow('--image', image(), '--benchmark-image', str(tmp_path))
    assert code == WRONG_USE and 'is a folder' in said


def test_every_image_of_a_folder_has_its_own_overlay(workflow, image, tmp_path):
    names = ('a b.png', 'a_b.png', 'a.b.png', 'a_b_png.png', 'a_b.jpg')
    for name in names:
        image(name=f'tray/{name}')
    code, said = workflow('--image', str(tmp_path / 'tray'), '--benchmark', 'G8NB-17SR', '--json')
    overlays = {row['overlay'] for row in json.loads(said)['images']}
    assert code == MATCH and len(overlays) == len(names)
    assert len(list((tmp_path / 'overlays').iterdir())) == len(names)


@pytest.mark.parametrize(('benchmark', 'code'), [('G8NB-17SR', MATCH), ('HF115F-024', NO_MATCH)])
def test_a_drawn_label_is_read_without_ros(tmp_path, benchmark, code):
    picture = np.full((240, 640, 3), 215, np.uint8)
    cv2.putText(picture, 'G8NB-17SR', (60, 140), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (25, 25, 25), 5, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / 'label.png'), picture)
    script = (
        "import sys; sys.modules['rclpy'] = None; sys.modules['cell_interfaces'] = None\n"
        'from cell_bringup.cli import main\n'
        f"main(['workflow', '--image', 'label.png', '--benchmark', {benchmark!r}, '--json'])"
    )
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / 'workflow' / 'label_png_overlay.png').is_file()
    assert json.loads(done.stdout)['match'] is (code == MATCH)
