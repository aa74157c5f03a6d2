"""Actions that change what the nodes launched after them get, until the end of the group."""

from __future__ import annotations

from typing import Any

from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import normalize_typed_substitution, perform_typed_substitution

from launch import Action, LaunchContext, SomeSubstitutionsType, Substitution
from launch_ros.parameters import evaluate_parameter
from launch_ros.utilities import make_namespace_absolute, prefix_namespace, validate_namespace


def _add(context: LaunchContext, name: str, item: object) -> None:
    """Add to a list among the launch configurations without touching the list of the surrounding scope."""
    context.launch_configurations[name] = [*context.launch_configurations.get(name, []), item]


class PushROSNamespace(Action):
    """Puts the nodes that follow into a namespace, relative to the current one."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._namespace = normalize_to_list_of_substitutions(namespace)

    @property
    def namespace(self) -> list[Substitution]:
        """The namespace as substitutions."""
        return self._namespace

    def execute(self, context: LaunchContext) -> None:
        """Extend the current namespace.

        Raises:
            SubstitutionFailure: the result is not a valid namespace.
        """
        previous = context.launch_configurations.get('ros_namespace')
        pushed = perform_substitutions(context, self._namespace)
        namespace = make_namespace_absolute(prefix_namespace(previous, pushed) or '/')
        try:
            validate_namespace(namespace)
        except ValueError as problem:
            raise SubstitutionFailure(
                f"The resulting namespace is invalid: [previous_namespace='{previous}', pushed_namespace='{pushed}']: {problem}"
            ) from problem
        context.launch_configurations['ros_namespace'] = namespace


class SetParameter(Action):
    """Sets a parameter of the nodes that follow; a node's own parameters come after it."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = value

    @property
    def name(self) -> list[Substitution]:
        """The name as substitutions."""
        return self._name

    @property
    def value(self) -> Any:
        """The value, or the substitutions that make it."""
        return self._value

    def execute(self, context: LaunchContext) -> None:
        """Evaluate name and value, and add them to the group's parameters."""
        name = perform_substitutions(context, self._name)
        _add(context, 'global_params', (name, evaluate_parameter(context, name, self._value)))


class SetUseSimTime(Action):
    """Sets the parameter ``use_sim_time`` of the nodes that follow."""

    def __init__(self, value: bool | SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._value = normalize_typed_substitution(value, bool)

    def execute(self, context: LaunchContext) -> None:
        """Add the parameter to the group's parameters."""
        _add(context, 'global_params', ('use_sim_time', perform_typed_substitution(context, self._value, bool)))


class SetParametersFromFile(Action):
    """Gives a parameter file to the nodes that follow."""

    def __init__(self, filename: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._filename = normalize_to_list_of_substitutions(filename)

    def execute(self, context: LaunchContext) -> None:
        """Add the file to the group's parameters."""
        _add(context, 'global_params', perform_substitutions(context, self._filename))


class SetRemap(Action):
    """Gives a remapping rule to the nodes that follow."""

    def __init__(self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._src = normalize_to_list_of_substitutions(src)
        self._dst = normalize_to_list_of_substitutions(dst)

    def execute(self, context: LaunchContext) -> None:
        """Add the rule to the group's remappings."""
        _add(context, 'ros_remaps', (perform_substitutions(context, self._src), perform_substitutions(context, self._dst)))


class SetROSLogDir(Action):
    """Sets the folder for the log files of the nodes that follow."""

    def __init__(self, new_log_dir: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = normalize_to_list_of_substitutions(new_log_dir)

    def execute(self, context: LaunchContext) -> None:
        """Set ROS_LOG_DIR in the environment of the nodes that follow."""
        context.environment['ROS_LOG_DIR'] = perform_substitutions(context, self._folder)
