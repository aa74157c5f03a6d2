import pytest
from cell_weighing.bridge.peers import PeerConfig, PeerError, check_identity, parse_peers
from cell_weighing.domain.reading import ParsedLine, ReadingStatus

PEERS = parse_peers(['10.0.0.3 id=3', '10.0.0.4 id=4 codec=sma capture=streaming', '10.0.0.9 codec=template'])


def weighing(scale_id, status=ReadingStatus.VALID):
    return ParsedLine(scale_id, status, '1.1', 'kg')


def test_an_entry_gives_id_codec_and_capture_of_an_address():
    assert {
        '10.0.0.3': PeerConfig('3'),
        '10.0.0.4': PeerConfig('4', 'sma', 'streaming'),
        '10.0.0.9': PeerConfig('', 'template'),
    } == PEERS


@pytest.mark.parametrize(
    ('entries', 'word'),
    [
        (['scale id=3'], 'IP address'),
        ([''], 'IP address'),
        (['10.0.0.1 3'], 'id='),
        (['10.0.0.1 id=3 id=4'], 'each once'),
        (['10.0.0.1 speed=9'], 'id='),
        (['10.0.0.1 id=a,b'], '1 to 32'),
        (['10.0.0.1 codec=morse'], 'codec must be'),
        (['10.0.0.1 capture=x'], 'capture must be'),
        (['dial:10.0.0.1 id=1'], 'host and port'),
        (['dial::4001'], 'host and port'),
        (['dial:10.0.0.1:70000'], 'host and port'),
        (['port:0 id=1'], 'name a port'),
        (['port:x'], 'name a port'),
        (['port:10002 id=1', 'port:10002 id=2'], 'named twice'),
        (['10.0.0.1 id=1', '10.0.0.1 id=2'], '10.0.0.1 is named twice'),
        (['10.0.0.1 id=1', '10.0.0.2 id=1'], 'scale 1 is named twice'),
    ],
)
def test_an_invalid_entry_is_refused_with_the_cause(entries, word):
    with pytest.raises(PeerError, match=word):
        parse_peers(entries)


def test_a_bound_address_may_send_its_own_id_or_none():
    for claimed in ('3', ''):
        w = weighing(claimed)
        assert check_identity(w, PEERS['10.0.0.3'], PEERS, '10.0.0.3') == ''
        assert (w.scale_id, w.status) == ('3', ReadingStatus.VALID)


def test_a_bound_address_that_sends_another_id_is_rejected():
    w = weighing('4')
    assert check_identity(w, PEERS['10.0.0.3'], PEERS, '10.0.0.3') == '4'
    assert (w.scale_id, w.status, w.weight) == ('3', ReadingStatus.MALFORMED, '') and '10.0.0.3 is scale 3' in w.message


def test_an_unbound_address_may_not_claim_a_bound_scale():
    w = weighing('3')
    assert check_identity(w, PeerConfig(), PEERS, '10.0.0.77') == '3'
    assert (w.scale_id, w.status) == ('', ReadingStatus.MALFORMED)
    free = weighing('5')
    assert check_identity(free, PeerConfig(), PEERS, '10.0.0.77') == '' and free.status is ReadingStatus.VALID


def test_a_weight_without_a_scale_is_malformed_and_the_remedy_is_named():
    w = weighing('')
    assert check_identity(w, PeerConfig(), {}, '10.0.0.77') == ''
    assert w.status is ReadingStatus.MALFORMED and 'parameter peers' in w.message


def test_noise_from_a_bound_address_belongs_to_its_scale():
    w = weighing('9', ReadingStatus.MALFORMED)
    assert check_identity(w, PEERS['10.0.0.3'], PEERS, '10.0.0.3') == '' and w.scale_id == '3'


def test_an_indicator_may_be_dialled_or_have_a_port_or_a_format_of_its_own():
    entries = ['dial:scale-4.plant:4001 id=4 codec=dosing', 'dial:[fe80::1]:4002', 'port:10002 id=5 codec=sbi']
    assert parse_peers(entries, {'dosing', 'sbi'}) == {
        'scale-4.plant:4001': PeerConfig('4', 'dosing', dial='scale-4.plant:4001'),
        '[fe80::1]:4002': PeerConfig(dial='[fe80::1]:4002'),
        ':10002': PeerConfig('5', 'sbi', port=10002),
    }
