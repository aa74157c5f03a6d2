import pytest
from cell_history.bags.clip_pictures import clip_pictures
from cell_history.bags.reader import BagError
from cell_history.bags.writer import BagWriter
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String


def test_the_camera_pictures_of_a_clip_come_in_their_order(tmp_path):
    writer = BagWriter(tmp_path / 'clip')
    writer.add('/cell/camera/image_raw/compressed', 'sensor_msgs/msg/CompressedImage')
    writer.add('/cell/other', 'std_msgs/msg/String')
    for at_ns in (5, 7):
        image = CompressedImage(format='jpeg', data=bytes([at_ns]))
        writer.write('/cell/camera/image_raw/compressed', at_ns, serialize_message(image))
        writer.write('/cell/other', at_ns, serialize_message(String(data='x')))
    writer.close()
    assert list(clip_pictures(tmp_path / 'clip')) == [(5, b'\5'), (7, b'\7')]


def test_a_clip_that_is_none_is_refused(tmp_path):
    with pytest.raises(BagError):
        list(clip_pictures(tmp_path))
