"""Which software of a controller is supported, and what is said about the others."""

from __future__ import annotations

import pytest
from cell_robot.protocols.rtde.software import software_name, unsupported_version


@pytest.mark.parametrize('version', [(5, 6, 0, 1), (5, 11, 1, 108318), (5, 25, 0, 0), (6, 0, 0, 0)])
def test_an_e_series_controller_of_today_is_supported(version):
    assert unsupported_version(version) == ''


@pytest.mark.parametrize(
    ('version', 'words'),
    [
        ((3, 15, 8, 0), ('CB3', '3.15.8', 'letters')),
        ((5, 4, 2, 0), ('5.4.2', '5.6', 'update')),
        ((10, 7, 0, 0), ('PolyScope X', '10.7.0', 'ros_driver')),
    ],
)
def test_another_controller_gets_a_sentence_with_the_remedy(version, words):
    text = unsupported_version(version)
    assert all(word in text for word in words), text
    assert software_name(version).removeprefix('PolyScope ') in text
