from cell_weighing.bridge.scale_registry import KNOWN_PEERS, ScaleRegistry
from cell_weighing.domain.reading import ParsedLine, ReadingStatus, WeightReading

PEER = '10.0.0.5:4000'


def reading(scale='3', status=ReadingStatus.VALID, weight='1.25', peer=PEER, received_ns=10):
    return WeightReading('id', scale, 1, received_ns, 1, b'', status, weight, 'kg', peer=peer)


def test_scales_of_the_journal_are_listed_disconnected_with_their_count():
    registry = ScaleRegistry.restore({'12': 4, '3': 9, '': 2})
    assert [(entry.scale_id, entry.readings, entry.peer) for entry in registry.entries()] == [('3', 9, ''), ('12', 4, '')]


def test_a_connection_has_no_id_until_its_first_line_and_keeps_its_errors():
    registry = ScaleRegistry()
    registry.connect(PEER, 'toledo')
    registry.update(reading('', ReadingStatus.MALFORMED))
    assert [(e.scale_id, e.peer, e.malformed) for e in registry.entries()] == [('', PEER, 1)]
    entry = registry.update(reading())
    assert registry.entries() == [entry] and registry.connected == 1
    assert (entry.peer, entry.malformed, entry.malformed_in_a_row, entry.readings) == (PEER, 1, 0, 1)
    assert (entry.last_weight, entry.last_unit, entry.format, entry.needs_silence) == ('1.25', 'kg', 'toledo', False)


def test_a_malformed_line_keeps_the_last_weight_and_is_counted_in_a_row():
    registry = ScaleRegistry()
    registry.connect(PEER)
    registry.update(reading())
    for _ in range(2):
        entry = registry.update(reading(status=ReadingStatus.MALFORMED, weight=''))
    assert (entry.last_weight, entry.malformed, entry.malformed_in_a_row) == ('1.25', 2, 2)


def test_a_scale_stays_listed_after_its_disconnection_and_a_late_reading_does_not_connect_it():
    registry = ScaleRegistry()
    registry.connect(PEER)
    registry.update(reading())
    registry.disconnect(PEER)
    entry = registry.update(reading(received_ns=20))
    assert (registry.connected, entry.peer, entry.readings, entry.last_received_ns) == (0, '', 2, 20)


def test_a_line_without_id_of_a_closed_connection_is_listed_nowhere():
    registry = ScaleRegistry()
    registry.connect(PEER)
    registry.disconnect(PEER)
    registry.update(reading('', ReadingStatus.MALFORMED))
    assert registry.entries() == []


def test_a_sample_is_stored_unless_a_later_one_is_known():
    registry = ScaleRegistry()
    registry.connect(PEER)
    sample = ParsedLine('3', ReadingStatus.VALID, '0.50', 'kg')
    assert registry.update_sample('3', PEER, 10, sample)
    assert not registry.update_sample('3', PEER, 10, ParsedLine('3', ReadingStatus.VALID, '9.99', 'kg'))
    assert registry.update_sample('3', PEER, 11, ParsedLine('3', ReadingStatus.MALFORMED))
    (entry,) = registry.entries()
    assert (entry.peer, entry.last_weight, entry.last_received_ns, entry.readings) == (PEER, '0.50', 11, 0)


def test_formats_of_the_latest_peers_are_known_after_their_end():
    registry = ScaleRegistry()
    registry.connect(PEER, 'sbi')
    registry.unterminated.add(PEER)
    registry.disconnect(PEER)
    entry = registry.update(reading())
    assert (entry.format, entry.needs_silence) == ('sbi', True)
    for port in range(KNOWN_PEERS + 1):
        registry.connect(f'10.0.0.6:{port}')
        registry.disconnect(f'10.0.0.6:{port}')
    assert PEER not in registry.formats and PEER not in registry.unterminated and len(registry.formats) <= KNOWN_PEERS + 1
