import cv2
import numpy as np
import pytest
from cell_legacy.camera.preprocess import deskew, preprocess_for_ocr, to_bgr


def label(angle: float = 0.0, text: str = 'G8NB-17SR') -> np.ndarray:
    """A dark label with white print, turned by an angle, degrees, in a gray scene."""
    image = np.full((300, 500, 3), 128, np.uint8)
    cv2.putText(image, text, (80, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (20, 20, 20), 4, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((250, 150), angle, 1.0)
    return cv2.warpAffine(image, matrix, (500, 300), borderValue=(128, 128, 128))


def test_the_result_is_bgr_of_the_same_size_with_equal_channels():
    result = preprocess_for_ocr(label())
    assert result.shape == (300, 500, 3) and result.dtype == np.uint8
    assert (result[..., 0] == result[..., 1]).all() and (result[..., 1] == result[..., 2]).all()


def test_print_becomes_black_on_white():
    result = preprocess_for_ocr(label())
    assert set(np.unique(result)) <= {0, 255}
    assert (result == 255).mean() > 0.8
    assert (result[100:180, 80:420] == 0).mean() > 0.02


def test_uneven_light_does_not_hide_the_print():
    shade = np.linspace(0.3, 1.0, 500)[None, :, None]
    result = preprocess_for_ocr((label() * shade).astype(np.uint8))
    left, right = result[110:170, 80:200], result[110:170, 300:420]
    assert (left == 0).any() and (right == 0).any()


@pytest.mark.parametrize('shape', [(40, 60), (40, 60, 1), (40, 60, 4)])
def test_gray_and_bgra_images_are_taken_too(shape):
    assert preprocess_for_ocr(np.full(shape, 90, np.uint8)).shape == (40, 60, 3)


def bars(angle: float) -> np.ndarray:
    image = np.zeros((400, 400), np.uint8)
    cv2.rectangle(image, (100, 180), (300, 220), 255, -1)
    return cv2.warpAffine(image, cv2.getRotationMatrix2D((200, 200), angle, 1.0), (400, 400))


def extent(image: np.ndarray) -> int:
    """Rows with light pixels: smallest when a bar lies straight."""
    return int((image > 127).any(axis=1).sum())


@pytest.mark.parametrize('angle', [-20.0, -5.0, 5.0, 20.0, 40.0])
def test_a_turned_image_is_laid_straight(angle):
    assert extent(deskew(bars(angle))) <= 46


def test_a_straight_image_stays_as_it_is():
    image = bars(0.0)
    assert (deskew(image) == image).all()


def test_an_image_without_light_pixels_stays_as_it_is():
    image = np.zeros((20, 30), np.uint8)
    assert deskew(image) is image


@pytest.mark.parametrize('frame', [None, 'x', np.zeros((0, 0, 3), np.uint8), np.zeros(5, np.uint8), [[1, 2]]])
def test_what_is_no_image_is_refused_with_the_expected_form(frame):
    with pytest.raises(ValueError, match='numpy array of shape'):
        preprocess_for_ocr(frame)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_values_from_0_to_1_are_scaled(dtype):
    assert (to_bgr(np.full((4, 6, 3), 0.5, dtype)) == 128).all()
    assert (preprocess_for_ocr(label().astype(dtype) / 255) == preprocess_for_ocr(label())).all()


@pytest.mark.parametrize(
    'frame',
    [
        np.full((4, 6, 3), 90.0),
        np.full((4, 6), np.nan),
        np.full((4, 6), -0.5),
        np.ones((4, 6), np.uint16),
        np.ones((4, 6), bool),
    ],
)
def test_pixels_of_another_type_are_refused_with_the_remedy(frame):
    with pytest.raises(ValueError, match='scale it'):
        to_bgr(frame)


@pytest.mark.parametrize('channels', [0, 2, 5])
def test_another_number_of_channels_is_refused(channels):
    with pytest.raises(ValueError, match='expected an image'):
        to_bgr(np.zeros((4, 6, channels), np.uint8))
