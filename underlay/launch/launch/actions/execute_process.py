"""The action that runs a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from launch.descriptions import Executable
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution

from .execute_local import ExecuteLocal


class ExecuteProcess(ExecuteLocal):
    """Runs a program.

    Args:
        cmd: the program and its arguments, each a text with substitutions.
        prefix: see Executable.
        name: see Executable.
        cwd: see Executable.
        env: see Executable.
        additional_env: see Executable.
        kwargs: see ExecuteLocal.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        prefix: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Mapping[Any, SomeSubstitutionsType] | None = None,
        additional_env: Mapping[Any, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            process_description=Executable(cmd=cmd, prefix=prefix, name=name, cwd=cwd, env=env, additional_env=additional_env),
            **kwargs,
        )

    @property
    def name(self) -> str | list[Substitution] | None:
        """The label: with its number when the process has begun."""
        return self.process_description.final_name or self.process_description.name

    @property
    def cmd(self) -> list[str] | list[list[Substitution]]:
        """Program and arguments: as texts when the process has begun."""
        return self.process_description.final_cmd or self.process_description.cmd

    @property
    def cwd(self) -> str | list[Substitution] | None:
        """The working folder as substitutions, None for the launcher's."""
        return self.process_description.final_cwd or self.process_description.cwd

    @property
    def env(self) -> dict[str, str]:
        """The environment, when the process has begun."""
        return self.process_description.final_env
