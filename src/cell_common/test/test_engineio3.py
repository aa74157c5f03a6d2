import pytest
from cell_common.engineio3 import (
    EngineIoPayloadError,
    decode_binary_payload,
    decode_payload,
    encode_payload,
)
from hypothesis import given
from hypothesis import strategies as st


def binary(packet: str) -> bytes:
    data = packet.encode()
    return b'\x00' + bytes(int(digit) for digit in str(len(data))) + b'\xff' + data


@pytest.mark.parametrize(
    ('packets', 'body'),
    [(['40'], '2:40'), (['2', '42["a",1]'], '1:29:42["a",1]'), (['4é'], '2:4é'), (['4😀'], '3:4😀'), ([], '')],
)
def test_a_payload_counts_utf16_code_units(packets, body):
    assert encode_payload(packets) == body
    assert decode_payload(body) == packets


@pytest.mark.parametrize(
    'body', ['x', '2', ':40', '5:40', '-1:4', '0:', '1.0:4', '²:40', '999999999:4', '2:40x', '40', ' 2:40']
)
def test_a_broken_payload_is_an_error(body):
    with pytest.raises(EngineIoPayloadError):
        decode_payload(body)


@pytest.mark.parametrize('packets', [['40'], ['2', '42["a","é😀"]'], []])
def test_a_binary_payload_counts_bytes(packets):
    assert decode_binary_payload(b''.join(map(binary, packets))) == packets


def test_a_binary_packet_keeps_its_place():
    assert decode_binary_payload(b'\x01\x02\xff\x04\x00' + binary('40')) == [b'\x04\x00', '40']
    assert decode_payload('6:b4AQI=2:40') == [b'\x04\x01\x02', '40']


@pytest.mark.parametrize('body', ['1:b', '3:bx=', '4:b4A=', '3:b4*'])
def test_broken_base64_is_an_error(body):
    with pytest.raises(EngineIoPayloadError):
        decode_payload(body)


@pytest.mark.parametrize(
    'body', [b'\x00', b'\x00\x02', b'\x00\xff4', b'\x02\x01\xff4', b'\x00\x0a\xff4', b'\x00\x05\xff40', b'\x00\x02\xff\xff\xfe']
)
def test_a_broken_binary_payload_is_an_error(body):
    with pytest.raises(EngineIoPayloadError):
        decode_binary_payload(body)


@given(st.lists(st.text(min_size=1, max_size=20).map(lambda text: f'4{text}'), max_size=5))
def test_every_text_comes_back(packets):
    assert decode_payload(encode_payload(packets)) == packets


@given(st.binary(max_size=40))
def test_any_bytes_are_packets_or_an_error(body):
    try:
        decode_binary_payload(body)
        decode_payload(body.decode('latin-1'))
    except EngineIoPayloadError:
        pass
