"""Descriptions of what actions run."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import LaunchConfiguration
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.action import Action
    from launch.launch_context import LaunchContext

__all__ = ['Executable']

_numbers = itertools.count(1)
_Variables = Mapping[SomeSubstitutionsType, SomeSubstitutionsType] | Mapping[str, SomeSubstitutionsType]


class Executable:
    """A program with its arguments and surroundings.

    Args:
        cmd: the program and its arguments, each a text with substitutions.
        prefix: what stands before the program, such as a debugger; by default the launch configuration 'launch-prefix'
            where the program's name matches 'launch-prefix-filter'.
        name: the process's label; the program's file name by default. A number is added.
        cwd: the working folder.
        env: the whole environment; the launch's own by default.
        additional_env: variables to add.
        arguments: more arguments.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: _Variables | None = None,
        additional_env: _Variables | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
    ) -> None:
        self._cmd = [normalize_to_list_of_substitutions(part) for part in (*cmd, *(arguments or ()))]
        self._has_own_prefix = prefix is not None
        self._prefix = normalize_to_list_of_substitutions(
            LaunchConfiguration('launch-prefix', default='') if prefix is None else prefix
        )
        self._name = None if name is None else normalize_to_list_of_substitutions(name)
        self._cwd = None if cwd is None else normalize_to_list_of_substitutions(cwd)
        self._env = None if env is None else self._normalized(env)
        self._additional_env = self._normalized(additional_env or {})
        self.final_name = ''
        self.final_cmd: list[str] = []
        self.final_cwd: str | None = None
        self.final_env: dict[str, str] = {}

    @staticmethod
    def _normalized(variables: _Variables) -> list[tuple[list[Substitution], list[Substitution]]]:
        return [
            (normalize_to_list_of_substitutions(key), normalize_to_list_of_substitutions(value))
            for key, value in variables.items()
        ]

    @property
    def cmd(self) -> list[list[Substitution]]:
        """Program and arguments, each a list of substitutions."""
        return self._cmd

    @property
    def name(self) -> list[Substitution] | None:
        """The label."""
        return self._name

    @property
    def prefix(self) -> list[Substitution]:
        """What stands before the program."""
        return self._prefix

    @property
    def cwd(self) -> list[Substitution] | None:
        """The working folder."""
        return self._cwd

    @property
    def env(self) -> list[tuple[list[Substitution], list[Substitution]]] | None:
        """The whole environment; None for the launch's own."""
        return self._env

    def prepare(self, context: LaunchContext, action: Action) -> None:  # noqa: ARG002
        """Set what the process is started with: ``final_name``, ``final_cmd``, ``final_cwd``, ``final_env``."""
        cmd = [perform_substitutions(context, part) for part in self._cmd]
        program = Path(cmd[0]).name
        pattern = '' if self._has_own_prefix else str(context.launch_configurations.get('launch-prefix-filter', ''))
        if re.match(pattern, program):
            cmd = shlex.split(perform_substitutions(context, self._prefix)) + cmd
        self.final_cmd = cmd
        label = Path(cmd[0]).name if self._name is None else perform_substitutions(context, self._name)
        self.final_name = f'{label}-{next(_numbers)}'
        self.final_cwd = None if self._cwd is None else perform_substitutions(context, self._cwd)
        self.final_env = dict(context.environment)
        if self._env is not None:
            self.final_env = self._performed(context, self._env)
        self.final_env.update(self._performed(context, self._additional_env))

    @staticmethod
    def _performed(context: LaunchContext, variables: list[tuple[list[Substitution], list[Substitution]]]) -> dict[str, str]:
        return {perform_substitutions(context, key): perform_substitutions(context, value) for key, value in variables}
