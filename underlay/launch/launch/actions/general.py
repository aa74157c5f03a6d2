"""Actions that say something or run a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from launch import logging as launch_logging
from launch.action import Action
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import ensure_argument_type, normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LogInfo(Action):
    """Logs a message when it is visited."""

    def __init__(self, *, msg: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._msg = normalize_to_list_of_substitutions(msg)

    @property
    def msg(self) -> list[Substitution]:
        """The message as substitutions."""
        return self._msg

    def execute(self, context: LaunchContext) -> None:
        """Evaluate the message and log it at level info."""
        launch_logging.get_logger('launch.user').info(perform_substitutions(context, self._msg))


class OpaqueFunction(Action):
    """Calls a function of the context, which may return entities to visit.

    Args:
        function: called with the context, then with ``args`` and ``kwargs``.
        args: more arguments.
        kwargs: more keyword arguments.
        options: what every action takes.
    """

    def __init__(
        self,
        *,
        function: Callable[..., Sequence[LaunchDescriptionEntity] | None],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not callable(function):
            raise TypeError(f"OpaqueFunction expected a function, got '{type(function).__name__}'")
        ensure_argument_type(kwargs, (dict, type(None)), 'kwargs', 'OpaqueFunction')
        self._function = function
        self._args = tuple(args or ())
        self._kwargs = dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Call the function with the context; the entities that it returns are visited next."""
        return self._function(context, *self._args, **self._kwargs)
