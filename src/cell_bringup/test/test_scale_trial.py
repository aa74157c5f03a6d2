import io
import socket
import threading

import pytest
from cell_bringup.scale_trial import read_source, try_scale
from rich.console import Console

from cell_bringup import cli, scale_trial


def run(*arguments):
    shown = Console(file=io.StringIO(), width=160)
    code = try_scale(cli.parser().parse_args(['scale', 'try', *map(str, arguments)]), shown)
    return code, shown.file.getvalue()


@pytest.fixture
def indicator():
    """An indicator that is the server and answers one command."""
    servers = []

    def start(command, answer):
        server = socket.create_server(('127.0.0.1', 0))
        servers.append(server)

        def serve():
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(64):
                    if data == command:
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return f'127.0.0.1:{server.getsockname()[1]}'

    yield start
    for server in servers:
        server.close()


def test_a_file_of_bytes_is_shown_record_by_record_and_its_format_is_named(tmp_path):
    (tmp_path / 'capture.bin').write_bytes(b'ST,GS,+00123.45kg\r\nUS,GS,+00123.40kg\r\nnoise\r\n')
    code, text = run(tmp_path / 'capture.bin')
    assert code == 0 and 'codec: and' in text
    assert '123.45 kg stable gross' in text and '123.40 kg in motion gross' in text and 'does not have the form' in text


def test_a_serial_line_with_a_wrong_parity_is_named(tmp_path):
    (tmp_path / 'capture.bin').write_bytes(bytes(c | 0x80 if bin(c).count('1') % 2 else c for c in b'1,27.5 lb\r\n'))
    code, text = run(tmp_path / 'capture.bin')
    assert code == 1 and 'parity' in text and 'no format fits' in text


def test_no_format_and_one_that_does_not_fit_have_exit_code_1(tmp_path):
    (tmp_path / 'capture.bin').write_bytes(b'GET / HTTP/1.1\r\n\r\n')
    assert run(tmp_path / 'capture.bin')[0] == 1
    (tmp_path / 'capture.bin').write_bytes(b'3,12.500 kg')
    code, text = run(tmp_path / 'capture.bin', '--format', 'sma')
    assert code == 1 and 'no format fits' in text
    assert 'record_silence' in run(tmp_path / 'capture.bin')[1]


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['none.bin'], 'No such file'),
        (['127.0.0.1:1'], 'refused'),
        ([__file__, '--format', 'morse'], 'no format'),
        ([__file__, '--format', 'template', '--template', '{weight}'], 'unit'),
    ],
)
def test_what_cannot_be_tried_is_named(arguments, word):
    code, text = run(*arguments)
    assert code == 1 and word in text


def test_an_empty_file_says_what_to_do(tmp_path):
    (tmp_path / 'empty.bin').write_bytes(b'')
    code, text = run(tmp_path / 'empty.bin')
    assert code == 1 and 'press PRINT' in text


def test_an_indicator_that_waits_for_a_command_is_asked(indicator, monkeypatch):
    monkeypatch.setattr(scale_trial, 'REPLY_TIMEOUT_S', 0.5)  # two commands stay unanswered
    address = indicator(b'SI\r\n', b'S S     100.00 g\r\n')
    assert read_source(address, 0.3, b'SI\r\n') == [b'S S     100.00 g\r\n']
    code, text = run(indicator(b'SI\r\n', b'S S     100.00 g\r\n'), '--seconds', '0.1')
    assert code == 0 and 'codec: mt-sics' in text
