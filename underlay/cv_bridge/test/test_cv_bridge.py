"""Images to arrays and back."""

import array
import time

import cv2
import numpy as np
import pytest
from cv_bridge import CvBridge, CvBridgeError
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

bridge = CvBridge()
RANDOM = np.random.default_rng(3)


def picture(dtype='uint8', channels=3, size=(6, 8)):
    shape = size if channels == 1 else (*size, channels)
    if np.dtype(dtype).kind == 'f':
        return RANDOM.random(shape).astype(dtype)
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels'),
    [
        ('mono8', 'uint8', 1),
        ('mono16', 'uint16', 1),
        ('bgr8', 'uint8', 3),
        ('rgb8', 'uint8', 3),
        ('bgra8', 'uint8', 4),
        ('rgba8', 'uint8', 4),
        ('bayer_rggb8', 'uint8', 1),
        ('8UC1', 'uint8', 1),
        ('16UC1', 'uint16', 1),
        ('32FC1', 'float32', 1),
        ('64FC2', 'float64', 2),
        ('yuv422', 'uint8', 2),
        ('yuv422_yuy2', 'uint8', 2),
        ('bgr16', 'uint16', 3),
    ],
)
def test_pixels_survive_the_way_there_and_back(encoding, dtype, channels):
    pixels = picture(dtype, channels)
    message = bridge.cv2_to_imgmsg(pixels, encoding, Header(frame_id='camera'))
    assert (message.height, message.width, message.encoding, message.header.frame_id) == (6, 8, encoding, 'camera')
    assert message.step * 6 == len(message.data)
    assert np.array_equal(bridge.imgmsg_to_cv2(message), pixels)
    assert np.array_equal(bridge.imgmsg_to_cv2(message, encoding), pixels)


def test_passthrough_names_the_array():
    assert bridge.cv2_to_imgmsg(picture()).encoding == '8UC3'
    assert bridge.cv2_to_imgmsg(picture('float32', 1)).encoding == '32FC1'


@pytest.mark.parametrize(
    ('source', 'target', 'code'),
    [
        ('bgr8', 'rgb8', cv2.COLOR_BGR2RGB),
        ('rgb8', 'bgr8', cv2.COLOR_RGB2BGR),
        ('rgb8', 'mono8', cv2.COLOR_RGB2GRAY),
        ('mono8', 'bgr8', cv2.COLOR_GRAY2BGR),
        ('bgra8', 'bgr8', cv2.COLOR_BGRA2BGR),
        ('rgba8', 'bgra8', cv2.COLOR_RGBA2BGRA),
        ('yuv422', 'bgr8', cv2.COLOR_YUV2BGR_UYVY),
        ('uyvy', 'mono8', cv2.COLOR_YUV2GRAY_UYVY),
        ('yuyv', 'rgb8', cv2.COLOR_YUV2RGB_YUY2),
        ('yuv422_yuy2', 'bgr8', cv2.COLOR_YUV2BGR_YUY2),
    ],
)
def test_colors_are_converted(source, target, code):
    channels = bridge.encoding_to_dtype_with_channels(source)[1]
    pixels = picture(channels=channels)
    assert np.array_equal(bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(pixels, source), target), cv2.cvtColor(pixels, code))


@pytest.mark.parametrize(
    ('pattern', 'red', 'blue'),
    [
        ('rggb', (0, 0), (1, 1)),
        ('bggr', (1, 1), (0, 0)),
        ('gbrg', (1, 0), (0, 1)),
        ('grbg', (0, 1), (1, 0)),
    ],
)
def test_a_mosaic_becomes_the_colors_its_pattern_says(pattern, red, blue):
    mosaic = np.full((16, 16), 100, np.uint8)
    mosaic[red[0] :: 2, red[1] :: 2] = 200
    mosaic[blue[0] :: 2, blue[1] :: 2] = 50
    message = bridge.cv2_to_imgmsg(mosaic, f'bayer_{pattern}8')
    assert bridge.imgmsg_to_cv2(message, 'rgb8')[8, 8].tolist() == [200, 100, 50]
    assert bridge.imgmsg_to_cv2(message, 'bgra8')[8, 8].tolist() == [50, 100, 200, 255]
    assert bridge.imgmsg_to_cv2(message, 'mono8').shape == (16, 16)


def test_grey_of_16_bits_is_scaled_and_numbers_are_not():
    grey = np.array([[0, 257, 65535]], np.uint16)
    assert bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(grey, 'mono16'), 'mono8').tolist() == [[0, 1, 255]]
    dark = bridge.cv2_to_imgmsg(np.array([[1, 255]], np.uint8), 'mono8')
    assert bridge.imgmsg_to_cv2(dark, 'mono16').tolist() == [[257, 65535]]
    depth = bridge.cv2_to_imgmsg(grey, '16UC1')
    assert bridge.imgmsg_to_cv2(depth, '32FC1').tolist() == [[0.0, 257.0, 65535.0]]
    assert bridge.imgmsg_to_cv2(depth, '8UC1').tolist() == [[0, 255, 255]]


def test_padded_rows_and_big_endian_data_are_read():
    message = Image(height=2, width=2, encoding='mono8', step=4, data=bytes([1, 2, 0, 0, 3, 4, 0, 0]))
    assert bridge.imgmsg_to_cv2(message).tolist() == [[1, 2], [3, 4]]
    message = Image(height=1, width=2, encoding='mono16', step=4, is_bigendian=1, data=bytes([1, 2, 3, 4]))
    assert bridge.imgmsg_to_cv2(message).tolist() == [[258, 772]]


def test_a_part_of_an_array_is_sent_whole():
    whole = picture(size=(10, 10))
    assert np.array_equal(bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(whole[2:5, ::2], 'bgr8')), whole[2:5, ::2])


@pytest.mark.parametrize(
    ('encoding', 'desired'),
    [
        ('8UC3', 'bgr8'),
        ('bgr8', '8UC1'),
        ('mono8', 'bayer_rggb8'),
        ('bgr8', 'yuv422'),
        ('mono8', 'nv21'),
        ('32FC1', 'mono8'),
    ],
)
def test_conversions_without_sense_are_refused(encoding, desired):
    dtype, channels = bridge.encoding_to_dtype_with_channels(encoding)
    with pytest.raises(CvBridgeError):
        bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(picture(dtype, channels), encoding), desired)


def test_data_that_does_not_fit_is_refused():
    with pytest.raises(CvBridgeError, match='too few'):
        bridge.imgmsg_to_cv2(Image(height=2, width=2, encoding='bgr8', step=6, data=bytes(11)))
    with pytest.raises(CvBridgeError, match='Unrecognized'):
        bridge.imgmsg_to_cv2(Image(height=1, width=1, encoding='', data=bytes(1)))
    with pytest.raises(CvBridgeError, match='incompatible type 8UC3'):
        bridge.cv2_to_imgmsg(picture(), 'mono8')
    with pytest.raises(TypeError, match='numpy'):
        bridge.cv2_to_imgmsg([[1]])


@pytest.mark.parametrize('form', ['png', 'jpg', 'bmp'])
def test_a_compressed_image_survives(form):
    pixels = cv2.GaussianBlur(picture(size=(64, 64)), (0, 0), 8)
    message = bridge.cv2_to_compressed_imgmsg(pixels, form)
    assert message.format == form
    assert np.abs(bridge.compressed_imgmsg_to_cv2(message).astype(int) - pixels).max() <= (12 if form == 'jpg' else 0)
    assert bridge.compressed_imgmsg_to_cv2(message, 'mono8').shape == (64, 64)


@pytest.mark.parametrize('data', [b'', b'no image', b'\xff\xd8\xff'])
def test_compressed_data_that_is_no_image_is_refused(data):
    with pytest.raises(CvBridgeError, match='no image'):
        bridge.compressed_imgmsg_to_cv2(CompressedImage(format='jpeg', data=data))


def test_an_unknown_format_and_an_array_it_cannot_carry_are_refused():
    with pytest.raises(CvBridgeError, match="'gift'"):
        bridge.cv2_to_compressed_imgmsg(picture(), 'gift')
    with pytest.raises(CvBridgeError, match='cannot compress'):
        bridge.cv2_to_compressed_imgmsg(picture(channels=2), 'jpg')


def test_a_message_is_filled_without_a_look_at_each_byte():
    pixels = np.zeros((1080, 1920, 3), np.uint8)
    start = time.process_time()
    message = bridge.cv2_to_imgmsg(pixels, 'bgr8')
    assert time.process_time() - start < 0.2  # a list of six million numbers takes a second
    assert isinstance(message.data, array.array)
