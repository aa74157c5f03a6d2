"""The action that runs a ROS node."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import launch.logging
from launch.actions import ExecuteProcess
from launch.utilities import ensure_argument_type, normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, LaunchDescriptionEntity, SomeSubstitutionsType, Substitution
from launch_ros.parameter_descriptions import Parameter, ParameterFile
from launch_ros.parameters import as_file, as_rule, evaluate_parameter_dict
from launch_ros.substitutions import ExecutableInPackage
from launch_ros.utilities import make_namespace_absolute, prefix_namespace, validate_namespace, validate_node_name

SomeParameters = Sequence[Mapping[Any, Any] | Parameter | ParameterFile | os.PathLike[str] | SomeSubstitutionsType]
SomeRemapRules = Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]


class Node(ExecuteProcess):
    """Runs a ROS node.

    Args:
        executable: its executable; with ``package`` the name, else a path.
        package: the package to which it belongs.
        name: the node's name; without it the node keeps its own.
        namespace: its namespace, inside the one pushed with PushRosNamespace unless it begins with a slash.
        exec_name: the process's label; the executable's name by default.
        parameters: a list of parameter files, dictionaries of parameters and Parameter; later ones win.
        remappings: pairs of what is remapped and what it is remapped to.
        ros_arguments: more arguments behind ``--ros-args``.
        arguments: more arguments for the program itself.
        kwargs: see ExecuteProcess.
    """

    UNSPECIFIED_NODE_NAME = '<node_name_unspecified>'
    UNSPECIFIED_NODE_NAMESPACE = '<node_namespace_unspecified>'

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: SomeParameters | None = None,
        remappings: SomeRemapRules | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        if 'cmd' in kwargs:
            raise TypeError("Node: use 'executable' and 'arguments' in place of 'cmd'")
        program = executable if package is None else ExecutableInPackage(package=package, executable=executable)
        extra = [] if ros_arguments is None else ['--ros-args', *ros_arguments]
        super().__init__(cmd=[program, *(arguments or ()), *extra, '--ros-args'], name=exec_name, **kwargs)
        ensure_argument_type(parameters, (list, type(None)), 'parameters', 'Node')
        self._package = package
        self._executable = executable
        self._node_name = None if name is None else normalize_to_list_of_substitutions(name)
        self._node_namespace = None if namespace is None else normalize_to_list_of_substitutions(namespace)
        self._parameters = [self._normalized(item) for item in parameters or ()]
        self._remappings = [
            (normalize_to_list_of_substitutions(src), normalize_to_list_of_substitutions(dst)) for src, dst in remappings or ()
        ]
        self._final_name: str | None = None
        self._expanded_namespace = self.UNSPECIFIED_NODE_NAMESPACE
        self._temporary_files: list[str] = []

    @staticmethod
    def _normalized(item: Any) -> Mapping[Any, Any] | Parameter | ParameterFile:
        return item if isinstance(item, Mapping | Parameter | ParameterFile) else ParameterFile(item)

    @property
    def node_package(self) -> SomeSubstitutionsType | None:
        """The package, None for an executable given by its path."""
        return self._package

    @property
    def node_executable(self) -> SomeSubstitutionsType:
        """The executable as given."""
        return self._executable

    @property
    def node_name(self) -> str:
        """The node's name with its namespace, as far as the launch file gives them.

        Raises:
            RuntimeError: the action was not yet executed.
        """
        if self._final_name is None:
            raise RuntimeError("cannot access 'node_name' before executing action")
        return self._final_name

    @property
    def expanded_node_namespace(self) -> str:
        """The namespace with the pushed ones in front; known after execution."""
        return self._expanded_namespace

    def is_node_name_fully_specified(self) -> bool:
        """Return whether the launch file gives both name and namespace."""
        return not any(part in self.node_name for part in (self.UNSPECIFIED_NODE_NAME, self.UNSPECIFIED_NODE_NAMESPACE))

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Evaluate the arguments and start the process; parameters given as dictionaries go into a temporary file."""
        if not self._executed:
            arguments = [*self._name_arguments(context), *self._parameter_arguments(context), *self._remap_arguments(context)]
            self.process_description.cmd.extend(normalize_to_list_of_substitutions(text) for text in arguments)
        result = super().execute(context)
        if self._completed is not None:
            self._completed.add_done_callback(lambda _: self._remove_temporary_files())
        return result

    def _name_arguments(self, context: LaunchContext) -> list[str]:
        """Return the remapping rules for name and namespace, and remember the full name for the log.

        The namespace is the action's inside that of `PushRosNamespace`; an absolute one replaces it.

        Raises:
            InvalidNodeNameException: The name is not valid.
            InvalidNamespaceException: The namespace is not valid.
        """
        arguments = []
        name = self.UNSPECIFIED_NODE_NAME
        if self._node_name is not None:
            name = perform_substitutions(context, self._node_name)
            validate_node_name(name)
            arguments += ['-r', f'__node:={name}']
        wanted = None if self._node_namespace is None else perform_substitutions(context, self._node_namespace)
        namespace = prefix_namespace(context.launch_configurations.get('ros_namespace'), wanted)
        if namespace is not None:
            self._expanded_namespace = make_namespace_absolute(namespace)
            validate_namespace(self._expanded_namespace)
            arguments += ['-r', f'__ns:={self._expanded_namespace}']
        self._final_name = prefix_namespace(self._expanded_namespace, name)
        self._warn_of_second_node(context)
        return arguments

    def _warn_of_second_node(self, context: LaunchContext) -> None:
        """Log a warning if the launch has started a node of this name before: ROS allows it, and most tools confuse the two."""
        if not self.is_node_name_fully_specified():
            return
        names: dict[str, int] = context.get_locals_as_dict().get('unique_ros_node_names', {})
        names[self.node_name] = names.get(self.node_name, 0) + 1
        context.extend_globals({'unique_ros_node_names': names})
        if names[self.node_name] > 1:
            launch.logging.get_logger(__name__).warning(
                'there are now at least %d nodes with the name %s created within this launch context',
                names[self.node_name],
                self.node_name,
            )

    def _parameter_arguments(self, context: LaunchContext) -> list[str]:
        """Return the arguments for parameters, the pushed ones first: later ones win."""
        arguments: list[str] = []
        for item in context.launch_configurations.get('global_params', []):
            if isinstance(item, tuple):
                arguments += ['-p', f'{item[0]}:={as_rule(item[1])}']
            else:
                arguments += self._file_arguments(Path(item).absolute())
        for parameter in self._parameters:
            if isinstance(parameter, Parameter):
                name, value = parameter.evaluate(context)
                arguments += ['-p', f'{name}:={as_rule(value)}']
            elif isinstance(parameter, ParameterFile):
                arguments += self._file_arguments(parameter.evaluate(context))
            else:
                arguments += ['--params-file', self._write_parameters(evaluate_parameter_dict(context, parameter))]
        return arguments

    @staticmethod
    def _file_arguments(path: Path) -> list[str]:
        if path.is_file():
            return ['--params-file', str(path)]
        launch.logging.get_logger(__name__).warning('Parameter file path is not a file: %s', path)
        return []

    def _write_parameters(self, parameters: Mapping[str, Any]) -> str:
        with NamedTemporaryFile(mode='w', prefix='launch_params_', delete=False, encoding='utf-8') as file:
            file.write(as_file(self.node_name if self.is_node_name_fully_specified() else '/**', parameters))
        self._temporary_files.append(file.name)
        return file.name

    def _remove_temporary_files(self) -> None:
        for name in self._temporary_files:
            with contextlib.suppress(OSError):
                Path(name).unlink()

    def _remap_arguments(self, context: LaunchContext) -> list[str]:
        rules: list[tuple[str, str]] = list(context.launch_configurations.get('ros_remaps', []))
        rules += [(self._text(context, src), self._text(context, dst)) for src, dst in self._remappings]
        return [part for src, dst in rules for part in ('-r', f'{src}:={dst}')]

    @staticmethod
    def _text(context: LaunchContext, parts: list[Substitution]) -> str:
        return perform_substitutions(context, parts)
