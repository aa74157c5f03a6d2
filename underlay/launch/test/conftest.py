"""What the tests of the launch system share."""

from collections.abc import Callable

import pytest
from launch.utilities import visit_all_entities_and_collect_futures
from ros2cli.helpers import wait_for

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity, LaunchService


@pytest.fixture(autouse=True)
def _environment(launch_environment) -> None:
    """Each test of this folder has an environment of its own."""


@pytest.fixture
def context() -> LaunchContext:
    return LaunchContext()


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str]]:
    """Return a function that launches entities to their end and returns exit code and screen output."""

    def launch_them(*entities: LaunchDescriptionEntity) -> tuple[int, str]:
        service = LaunchService()
        service.include_launch_description(LaunchDescription(entities))
        return service.run(), capsys.readouterr().out

    return launch_them


@pytest.fixture
def visit(context) -> Callable[..., LaunchContext]:
    """Return a function that visits entities, outside of any launch service, and returns the context."""

    def visit_them(*entities: LaunchDescriptionEntity) -> LaunchContext:
        visit_all_entities_and_collect_futures(LaunchDescription(entities), context)
        return context

    return visit_them


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Return a function that waits for a condition with a timeout."""

    def wait(holds: Callable[[], object], timeout: float = 30.0) -> None:
        assert wait_for(lambda: bool(holds()), timeout, 0.01), 'not in time'

    return wait
