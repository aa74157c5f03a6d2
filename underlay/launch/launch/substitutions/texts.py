"""Substitutions that make a text from texts."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import ensure_argument_type, normalize_to_list_of_substitutions, perform_substitutions

from .failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class TextSubstitution(Substitution):
    """A text that stands for itself."""

    def __init__(self, *, text: str) -> None:
        ensure_argument_type(text, str, 'text', 'TextSubstitution')
        self._text = text

    @property
    def text(self) -> str:
        """The text."""
        return self._text

    def describe(self) -> str:
        """Return the text in quotes."""
        return f"'{self._text}'"

    def perform(self, context: LaunchContext) -> str:  # noqa: ARG002
        """Return the text."""
        return self._text


class _OfSeveral(Substitution):
    """Base of substitutions made from one text that may itself have substitutions."""

    _name = ''

    def __init__(self, parts: SomeSubstitutionsType) -> None:
        self._parts = normalize_to_list_of_substitutions(parts)

    def describe(self) -> str:
        """Return a description for people."""
        return f'{self._name}({" + ".join(part.describe() for part in self._parts)})'

    def _text(self, context: LaunchContext) -> str:
        return perform_substitutions(context, self._parts)


class PathJoinSubstitution(_OfSeveral):
    """The path made of the parts given."""

    _name = 'PathJoin'

    def __init__(self, substitutions: Iterable[str | Substitution]) -> None:
        super().__init__(substitutions)

    @property
    def substitutions(self) -> list[Substitution]:
        """The parts."""
        return self._parts

    def perform(self, context: LaunchContext) -> str:
        """Return the path."""
        return os.path.join(*[part.perform(context) for part in self._parts])  # noqa: PTH118  (a trailing slash stays)


class FindExecutable(_OfSeveral):
    """The path of a program found by PATH."""

    _name = 'FindExec'

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        super().__init__(name)

    def perform(self, context: LaunchContext) -> str:
        """Return the program's path.

        Raises:
            SubstitutionFailure: there is no such program.
        """
        name = self._text(context)
        found = shutil.which(name, path=context.environment.get('PATH'))
        if found is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return found


class FileContent(_OfSeveral):
    """The content of a text file."""

    _name = 'FileContent'

    def __init__(self, path: SomeSubstitutionsType) -> None:
        super().__init__(path)

    def perform(self, context: LaunchContext) -> str:
        """Return the content.

        Raises:
            SubstitutionFailure: the file cannot be read.
        """
        path = self._text(context)
        try:
            return Path(path).read_text(encoding='utf-8')
        except OSError as problem:
            raise SubstitutionFailure(f"cannot read '{path}': {problem.strerror}") from problem


class Command(_OfSeveral):
    """The standard output of a command.

    Args:
        command: the command line; it is split as a shell would, but no shell runs it.
        on_stderr: what output on stderr means: 'fail', 'ignore', 'warn' or 'capture' (it is added to the result).
    """

    _name = 'Command'

    def __init__(self, command: SomeSubstitutionsType, *, on_stderr: SomeSubstitutionsType = 'fail') -> None:
        super().__init__(command)
        self._on_stderr = normalize_to_list_of_substitutions(on_stderr)

    def perform(self, context: LaunchContext) -> str:
        """Run the command and return its output.

        Raises:
            SubstitutionFailure: it cannot be run, failed, or wrote to stderr where that is a failure.
        """
        command = shlex.split(self._text(context))
        on_stderr = perform_substitutions(context, self._on_stderr)
        if on_stderr not in ('fail', 'ignore', 'warn', 'capture'):
            raise SubstitutionFailure(f"on_stderr of Command is '{on_stderr}': expected 'fail', 'ignore', 'warn' or 'capture'")
        errors = subprocess.STDOUT if on_stderr == 'capture' else subprocess.PIPE
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
        except OSError as problem:
            raise SubstitutionFailure(f'cannot run {command}: {problem.strerror}') from problem
        if done.returncode:
            raise SubstitutionFailure(f'{command} failed with {done.returncode}: {done.stderr or done.stdout}')
        if done.stderr and on_stderr == 'fail':
            raise SubstitutionFailure(f'{command} wrote to stderr: {done.stderr}')
        if done.stderr and on_stderr == 'warn':
            sys.stderr.write(f'{command} wrote to stderr: {done.stderr}\n')
        return done.stdout


class PythonExpression(_OfSeveral):
    """The value of a Python expression as text.

    Args:
        expression: the expression, which may have substitutions.
        python_modules: modules it may use by name; the names of ``math`` also stand alone.
    """

    _name = 'PythonExpr'

    def __init__(self, expression: SomeSubstitutionsType, python_modules: SomeSubstitutionsType = ('math',)) -> None:
        super().__init__(expression)
        self._modules = normalize_to_list_of_substitutions(python_modules)

    @property
    def expression(self) -> list[Substitution]:
        """The expression."""
        return self._parts

    @property
    def python_modules(self) -> list[Substitution]:
        """The modules that the expression may use."""
        return self._modules

    def perform(self, context: LaunchContext) -> str:
        """Return the value as text."""
        names: dict[str, Any] = {}
        for part in self._modules:
            module = importlib.import_module(part.perform(context))
            if module.__name__ == 'math':
                names.update(vars(module))
            names[module.__name__] = module
        return str(eval(self._text(context), {}, names))
