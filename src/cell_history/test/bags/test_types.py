"""Messages are decoded by the definitions of their bag, and become installed messages field by field."""

from __future__ import annotations

import array
from pathlib import Path

import pytest
from cell_history.bags.definitions import DefinitionError, installed_definition, installed_hash
from cell_history.bags.reader import BagReader
from cell_history.bags.types import UndecodableError, to_message
from cell_history.bags.writer import BagWriter
from geometry_msgs.msg import Point32
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from cell_interfaces import msg, srv


def round_trip(folder: Path, message: object, kind: str) -> object:
    writer = BagWriter(folder / 'bag')
    writer.add('/cell/x', kind)
    writer.write('/cell/x', 1, serialize_message(message))
    writer.close()
    with BagReader(writer.path) as bag:
        (found,) = bag.messages()
        return to_message(bag.decode(found), type(message))


def test_every_field_of_a_reading_survives(tmp_path: Path):
    text = msg.TextReading(text='G8NB-17SR', score=0.5, likelihoods=array.array('B', [1, 2, 255]))
    text.polygon = [Point32(x=float(n), y=1.5) for n in range(4)]
    result = msg.OcrResult(request_id='r', texts=[text], frames=2, has_crop=True, engine='é')
    result.header.stamp.sec, result.header.frame_id = 7, 'camera'
    result.frame_stamps = [result.header.stamp] * 2
    assert round_trip(tmp_path, result, 'cell_interfaces/msg/OcrResult') == result


def test_the_event_of_a_service_survives(tmp_path: Path):
    request = srv.MatchPart.Request(request_id='r', ocr=msg.OcrResult(texts=[msg.TextReading(text='A')]))
    event = srv.MatchPart.Event(request=[request])
    event.info.event_type, event.info.client_gid = 1, list(range(16))
    assert round_trip(tmp_path, event, 'cell_interfaces/srv/MatchPart_Event') == event


def test_a_field_that_the_bag_does_not_know_keeps_its_default(tmp_path: Path):
    old = get_types_from_msg('string job_id\nuint8 piece\n', 'cell_interfaces/msg/ComponentCaptured')
    store = get_typestore(Stores.EMPTY)
    store.register(old)
    kind = 'cell_interfaces/msg/ComponentCaptured'
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection('/cell/x', kind, typestore=store)
        writer.write(connection, 1, store.serialize_cdr(store.types[kind](job_id='j', piece=7), kind))
    with BagReader(tmp_path / 'bag') as bag:
        (found,) = bag.messages()
        assert to_message(bag.decode(found), msg.ComponentCaptured) == msg.ComponentCaptured(job_id='j', piece=7)


def test_a_field_with_another_type_is_refused_with_its_name():
    class Old:
        piece = 'seven'

    with pytest.raises(UndecodableError, match='piece'):
        to_message(Old(), msg.ComponentCaptured)


def test_a_definition_names_the_used_types_and_the_installed_hash():
    text, digest = installed_definition('cell_interfaces/srv/MatchPart_Event')
    assert 'MSG: service_msgs/ServiceEventInfo' in text and 'MSG: cell_interfaces/srv/MatchPart_Request' in text
    assert digest.startswith('RIHS01_') and digest == installed_hash('cell_interfaces/srv/MatchPart_Event')


def test_a_type_that_is_not_installed_has_no_definition():
    with pytest.raises(DefinitionError, match='nowhere_msgs'):
        installed_definition('nowhere_msgs/msg/Thing')
    assert installed_hash('nowhere_msgs/msg/Thing') == ''
