"""The action that includes another launch file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_source import LaunchDescriptionSource
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitutions import TextSubstitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .configuration import DeclareLaunchArgument, SetLaunchConfiguration

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class IncludeLaunchDescription(Action):
    """Includes a launch description.

    Args:
        launch_description_source: where it comes from; a text is the path of a launch file.
        launch_arguments: pairs of name and value for its arguments. They are set as launch configurations.
        kwargs: what every action takes.
    """

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        **kwargs: Any,
    ) -> None:
        from launch.launch_description_sources import AnyLaunchDescriptionSource

        super().__init__(**kwargs)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            launch_description_source = AnyLaunchDescriptionSource(launch_description_source)
        self._source = launch_description_source
        self._arguments = tuple(launch_arguments or ())

    @property
    def launch_description_source(self) -> LaunchDescriptionSource:
        """Where the launch description comes from."""
        return self._source

    @property
    def launch_arguments(self) -> Sequence[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]:
        """The arguments."""
        return self._arguments

    def _argument_names(self) -> frozenset[str]:
        """Return the names of the arguments given that are plain texts."""
        names = (normalize_to_list_of_substitutions(name) for name, _ in self._arguments)
        return frozenset(''.join(part.text for part in parts if isinstance(part, TextSubstitution)) for parts in names)

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the launch description if it can be loaded before launching."""
        found = self._source.try_get_launch_description_without_context()
        return [] if found is None else [found]

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Load the launch description and return it, with what sets its arguments and the name of its file.

        Raises:
            RuntimeError: a required argument is not given.
        """
        description = self._source.get_launch_description(context)
        before = {
            name: context.get_locals_as_dict().get(name)
            for name in ('current_launch_file_path', 'current_launch_file_directory')
        }
        location = Path(self._source.location)
        file = str(location.absolute())
        context.extend_locals(
            {
                'current_launch_file_path': file,
                'current_launch_file_directory': str(location.absolute().parent) if location.exists() else file,
            }
        )
        given = {perform_substitutions(context, normalize_to_list_of_substitutions(name)) for name, _ in self._arguments}
        self._check(description.get_launch_arguments(), given)
        settings = [SetLaunchConfiguration(name, value) for name, value in self._arguments]
        return [*settings, description, _RestoreLocals(before)]

    @staticmethod
    def _check(declared: Iterable[DeclareLaunchArgument], given: set[str]) -> None:
        """Check that each argument without a default value is given.

        Raises:
            RuntimeError: One is missing; names it with its description.
        """
        for argument in declared:
            optional = argument.default_value is not None or argument._conditionally_included or argument._given_by_include
            if not optional and argument.name not in given:
                raise RuntimeError(
                    f"Included launch description missing required argument '{argument.name}' "
                    f"(description: '{argument.description}'), given: [{', '.join(sorted(given))}]"
                )


class _RestoreLocals(Action):
    """Sets locals back after an included launch description was visited."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__()
        self._values = values

    def execute(self, context: LaunchContext) -> None:
        context.extend_locals({name: value for name, value in self._values.items() if value is not None})
