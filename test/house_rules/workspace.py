"""The workspace as the house rules see it: its packages, modules, classes and imports."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / 'src'
PACKAGES = sorted(path.parent.name for path in SRC.glob('*/setup.py'))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file, which several rules look at."""
    return ast.parse(path.read_text(encoding='utf-8'))


def called_name(call: ast.Call) -> str:
    """Return the last part of the name that is called: "sleep" for `asyncio.sleep(1)`; "" for other expressions."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ''


@dataclass(frozen=True)
class Module:
    """One Python module of a package under src/."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        return self.name.split('.')[0]

    @property
    def label(self) -> str:
        return str(self.path.relative_to(SRC))

    @functools.cached_property
    def tree(self) -> ast.Module:
        return parsed(self.path)

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ''


@functools.cache
def modules() -> dict[str, Module]:
    """Return every module under src/ by its dotted name; a package stands under its own name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((SRC / package / package).rglob('*.py')):
            parts = list(path.relative_to(SRC / package).with_suffix('').parts)
            if parts[-1] == '__init__':
                parts.pop()
            name = '.'.join(parts)
            found[name] = Module(name, path)
    return found


def imported_names(tree: ast.AST) -> Iterator[tuple[str, str | None, int]]:
    """Yield (module, name or None, line) for each absolute import in a tree, also inside functions and TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.module, alias.name, node.lineno


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield (dotted module, line); `from a import b` yields a.b where that is a module of the workspace."""
    known = modules()
    for module, name, line in imported_names(tree):
        yield (f'{module}.{name}', line) if name and f'{module}.{name}' in known else (module, line)


def with_parents(name: str) -> list[str]:
    """Return a module and the packages above it, whose `__init__` run when it is imported."""
    parts = name.split('.')
    return ['.'.join(parts[: n + 1]) for n in range(len(parts))]


def public_names(name: str) -> list[str] | None:
    """Return the module's `__all__`, or None when it has none or one that is not written out as a list of texts."""
    module = modules().get(name)
    for node in module.tree.body if module else []:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == '__all__' for target in targets):
            value = node.value  # type: ignore[union-attr]
            return (
                [str(e.value) for e in value.elts if isinstance(e, ast.Constant)]
                if isinstance(value, ast.List | ast.Tuple)
                else None
            )
    return None
