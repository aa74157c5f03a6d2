"""Where launch descriptions come from."""

from __future__ import annotations

import traceback

from . import logging as launch_logging
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .some_substitutions_type import SomeSubstitutionsType
from .utilities import normalize_to_list_of_substitutions, perform_substitutions


class LaunchDescriptionSource:
    """A launch description and where it comes from.

    Args:
        launch_description: the launch description if it is at hand.
        location: where it comes from.
        method: how it was made, for people.
    """

    def __init__(
        self,
        launch_description: LaunchDescription | None = None,
        location: SomeSubstitutionsType = '<string>',
        method: str = 'unspecified mechanism from a script',
    ) -> None:
        self._launch_description = launch_description
        self._location = normalize_to_list_of_substitutions(location)
        self._expanded_location: str | None = None
        self._method = method

    @property
    def location(self) -> str:
        """Where it comes from, as text."""
        if self._expanded_location is None:
            return ' + '.join(part.describe() for part in self._location)
        return self._expanded_location

    @property
    def method(self) -> str:
        """How it was made."""
        return self._method

    def try_get_launch_description_without_context(self) -> LaunchDescription | None:
        """Return the launch description, or None if it cannot be loaded before launching."""
        if self._launch_description is None:
            try:
                return self._get_launch_description(perform_substitutions(LaunchContext(), self._location))
            except Exception:  # whatever a launch file may raise: it is loaded again, and reported, when it is visited
                launch_logging.get_logger(__name__).debug(traceback.format_exc())
        return self._launch_description

    def get_launch_description(self, context: LaunchContext) -> LaunchDescription:
        """Return the launch description; load it if need be."""
        if self._expanded_location is None:
            self._expanded_location = perform_substitutions(context, self._location)
        if self._launch_description is None:
            self._launch_description = self._get_launch_description(self._expanded_location)
        return self._launch_description

    def _get_launch_description(self, location: str) -> LaunchDescription:
        raise RuntimeError(f'no launch description was given for {location}')
