import errno
import socket
from contextlib import ExitStack

import pytest
from cell_common.listening import listening_sockets


def ports_of(sockets):
    return {opened.getsockname()[1] for opened in sockets}


@pytest.fixture
def opened():
    with ExitStack() as stack:
        yield lambda *arguments: [stack.enter_context(one) for one in listening_sockets(*arguments)]


@pytest.mark.parametrize('address', ['localhost', '', '127.0.0.1'])
def test_port_0_is_one_port_in_every_family(opened, address):
    sockets = opened(address, 0)
    (port,) = ports_of(sockets)
    assert port > 0
    for one in sockets:
        host = '::1' if one.family == socket.AF_INET6 else '127.0.0.1'
        socket.create_connection((host, port), 1.0).close()


def test_a_port_in_use_is_an_error(opened):
    (port,) = ports_of(opened('127.0.0.1', 0))
    with pytest.raises(OSError) as caught:
        opened('127.0.0.1', port)
    assert caught.value.errno == errno.EADDRINUSE


def test_an_address_of_another_machine_is_an_error(opened):
    with pytest.raises(OSError):
        opened('192.0.2.1', 0)


def test_nothing_stays_open_when_one_family_fails(opened, monkeypatch):
    made = []
    real = socket.socket

    class Counted(real):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

        def bind(self, place):
            if len(made) > 1:
                raise OSError(errno.EACCES, 'refused')
            super().bind(place)

    monkeypatch.setattr(socket, 'socket', Counted)
    places = [(family, socket.SOCK_STREAM, 6, '', place) for family, place in TWO]
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_a, **_o: places)
    with pytest.raises(OSError):
        listening_sockets('two', 0)
    assert [one.fileno() for one in made] == [-1, -1]


TWO = ((socket.AF_INET, ('127.0.0.1', 0)), (socket.AF_INET, ('127.0.0.2', 0)))
