"""What a backend tells the node about itself."""

import pytest
from cell_robot.backends.hub.backend import HubBackend
from cell_robot.backends.letters.backend import LettersBackend
from cell_robot.backends.ros_driver.backend import RosDriverBackend
from cell_robot.backends.rtde.backend import RtdeBackend


@pytest.mark.parametrize('backend', [RtdeBackend, RosDriverBackend])
def test_a_backend_that_hears_the_controller_reports_joints(backend):
    assert backend.reports_joints and backend.continues_triggers


@pytest.mark.parametrize('backend', [LettersBackend, HubBackend])
def test_a_backend_that_only_sends_letters_reports_no_joints(backend):
    assert not backend.reports_joints and not backend.continues_triggers
