import contextlib
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from cell_weighing.delivery.http_client import HttpPoster, HttpRoute, HttpRouteError, open_session
from cell_weighing.delivery.policy import DeliveryItem

ITEM = DeliveryItem('0190-id', 'A', '3', '12.500', 'kg')


class Application(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.server.paths.append(self.path)
        body = b'{"success": true}'
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    running = []

    def start(certificate=None):
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Application)
        server.paths = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which('openssl'):
        pytest.skip('needs the openssl command to make a certificate')
    paths = tmp_path / 'own.pem', tmp_path / 'own.key'
    names, where = ('-addext', 'subjectAltName=IP:127.0.0.1'), ('-out', paths[0], '-keyout', paths[1])
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=plant', *names, *where],
        check=True,
        capture_output=True,
    )
    return paths


def test_a_certificate_of_the_plants_own_authority_is_accepted_when_it_is_named(serve, certificate):
    url = f'https://127.0.0.1:{serve(certificate).server_port}/api'
    assert HttpPoster(url, route=HttpRoute(str(certificate[0]))).post(ITEM, 'k').status == 200
    refused = HttpPoster(url).post(ITEM, 'k')
    assert refused.status == 0 and 'set parameter ca_file' in refused.error


def test_requests_go_through_the_proxy_and_its_absence_is_named(serve):
    proxy = serve()
    route = HttpRoute(proxy=f'http://127.0.0.1:{proxy.server_port}')
    assert HttpPoster('http://scales.example/api', route=route).post(ITEM, 'k').status == 200
    assert proxy.paths == ['http://scales.example/api']
    gone = HttpPoster('http://scales.example/api', route=HttpRoute(proxy='http://127.0.0.1:1')).post(ITEM, 'k')
    assert gone.status == 0 and 'parameter proxy' in gone.error


def test_the_environment_changes_no_route(serve, monkeypatch):
    monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:1')
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', '/nowhere')
    server = serve()
    assert HttpPoster(f'http://127.0.0.1:{server.server_port}/api').post(ITEM, 'k').status == 200
    assert open_session(HttpRoute()).verify is True


@pytest.mark.parametrize('proxy', ['proxy.example', 'http://', 'ftp://proxy:21', 'http://proxy:port', 'http://[::1'])
def test_a_proxy_that_is_no_address_is_refused_without_its_password(proxy):
    with pytest.raises(HttpRouteError, match='URL with a port') as caught:
        HttpRoute(proxy=proxy.replace('://', '://u:hidden@')).check()
    assert 'hidden' not in str(caught.value) + repr(HttpRoute(proxy='http://u:hidden@p:1'))


def test_a_certificate_file_that_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(HttpRouteError, match=r'none\.pem'):
        HttpRoute(str(tmp_path / 'none.pem')).check()
    (tmp_path / 'text.pem').write_text('no certificate')
    with pytest.raises(HttpRouteError, match='PEM'):
        HttpRoute(str(tmp_path / 'text.pem')).check()
    HttpRoute(proxy='http://user:word@proxy.example:3128').check()


@pytest.fixture
def answer():
    """Serves raw bytes: each request on any connection gets the next packet, a tuple bit by bit; a list ends the connection."""
    listener = socket.create_server(('127.0.0.1', 0))

    def start(*packets, **options):
        waiting = iter(packets)

        def talk(connection):
            with connection:
                while b'station' in read_request(connection) and (packet := next(waiting, None)) is not None:
                    for part in [packet] if isinstance(packet, bytes) else packet:
                        connection.sendall(part)
                        time.sleep(0.05)
                    if isinstance(packet, list):
                        return

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return HttpPoster(f'http://127.0.0.1:{listener.getsockname()[1]}/api', timeout=5, **options)

    yield start
    listener.close()


def read_request(connection):
    data = b''
    with contextlib.suppress(OSError):
        while b'station' not in data and (more := connection.recv(4096)):
            data += more
    return data


def response(body, *headers, status=b'200 OK'):
    lines = [b'HTTP/1.1 ' + status, *headers, b'Content-Length: %d' % len(body), b'', body]
    return b'\r\n'.join(lines)


def test_an_answer_that_comes_after_an_interim_one_is_never_that_to_the_next_bag(answer):
    early = b'HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n'
    poster = answer((early, response(b'{"bag_id": 1}')), response(b'{"bag_id": 2}'))
    assert poster.post(ITEM, 'k').status == 103
    assert poster.post(ITEM, 'k').body == '{"bag_id": 2}'


def test_the_character_set_of_an_answer_is_understood(answer):
    text = '{"success": false, "error": "Unité inconnue"}'
    kinds = [('iso-8859-1', b'ISO-8859-1'), ('utf-16', b'"utf-16"'), ('utf-8', b'nonsense')]
    packets = [response(text.encode(code), b'Content-Type: application/json; charset=' + name) for code, name in kinds]
    poster = answer(*packets, response(text.encode()))
    assert {poster.post(ITEM, 'k').body for _ in range(4)} == {text}


def test_a_date_in_retry_after_is_measured_by_the_clock_of_the_server(answer):
    dates = b'Date: Mon, 21 Sep 2026 14:00:00 GMT', b'Retry-After: Mon, 21 Sep 2026 14:01:30 GMT'
    busy = b'429 Too Many Requests'
    poster = answer(response(b'', *dates, status=busy), response(b'', b'Retry-After: soon', status=busy))
    assert [poster.post(ITEM, 'k').retry_after for _ in range(2)] == ['90', '']


def test_a_long_answer_is_read_whole(answer):
    body = b'{"label": "' + b'x' * 300_000 + b'", "success": true}'
    assert answer(response(body)).post(ITEM, 'k').body == body.decode()


def test_a_body_that_comes_byte_by_byte_has_a_deadline(answer):
    packet = response(b'{"success": true}')
    parts = (packet[:-8], *(packet[place : place + 1] for place in range(-8, -1)), packet[-1:])
    assert answer(parts).post(ITEM, 'k').body == '{"success": true}'


def test_a_body_that_never_ends_is_no_answer(answer):
    packet = response(b'{"success": true}')
    poster = answer((packet[:-8], packet[-8:]), longest_read=0.0)
    assert poster.post(ITEM, 'k').error == 'no answer in time'


@pytest.mark.parametrize(
    'packet',
    [
        response(b'{"success": true}')[:-4],
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{"success": tr',
        b'SSH-2.0-OpenSSH_9.6\r\n',
        b'HTTP/1.1 200 OK\r\nX: ' + b'a' * 70_000 + b'\r\n\r\n',
        response(b'{"success": true}', b'Content-Encoding: gzip'),
        b'',
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_tried_again(answer, packet):
    poster = answer([packet])
    result = poster.post(ITEM, 'k')
    assert result.status == 0 and result.error
