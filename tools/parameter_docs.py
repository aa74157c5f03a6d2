#!/usr/bin/env python3
"""Write docs/parameters.md from the parameter classes of the nodes. Run in the built environment; `--check` only compares."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

from cell_common.parameters import schema_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'parameters.md'
HEAD = """# Parameters

Written by `tools/parameter_docs.py` from the nodes' own declarations; a test fails when it is out of date. Set them in the
deployment's file (config/cell.yaml), under the node's name; `ros2 param describe` tells the same on a running cell. A node
refuses to start on a value outside its range and says which one.
"""


def parameter_classes() -> dict[tuple[str, str], type]:
    """Return (package, node) -> parameter class, found by the call of `declare_parameters` in each package's modules."""
    found = {}
    for path in sorted((ROOT / 'src').glob('*/*/**/*node.py')):
        package = path.relative_to(ROOT / 'src').parts[0]
        tree = ast.parse(path.read_text(encoding='utf-8'))
        for call in ast.walk(tree):
            if (
                isinstance(call, ast.Call)
                and getattr(call.func, 'id', '') == 'declare_parameters'
                and isinstance(call.args[1], ast.Name)
            ):
                name = path.relative_to(ROOT / 'src' / package).with_suffix('')
                module = importlib.import_module('.'.join(name.parts))
                found[package, node_name(tree)] = getattr(module, call.args[1].id)
    return found


def node_name(tree: ast.AST) -> str:
    """Return the name that the module's node gives itself: the first argument of `super().__init__`."""
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and getattr(call.func, 'attr', '') == '__init__'
            and call.args
            and isinstance(call.args[0], ast.Constant)
        ):
            return str(call.args[0].value)
    raise SystemExit('a node module without super().__init__(name)')


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for (package, node), kind in parameter_classes().items():
        parts.append(f'\n## {node} ({package})\n\n| parameter | type | default | allowed | meaning |\n|---|---|---|---|---|\n')
        for name, (wanted, default, schema) in schema_of(kind).items():
            kind_name = getattr(wanted, '__name__', str(wanted)) if not str(wanted).startswith('list') else str(wanted)
            shown = '`""`' if default == '' else f'`{default}`'
            parts.append(
                f'| `{name}` | {kind_name} | {shown} | {schema.allowed()} | {schema.description} |\n'.replace('||', '| |')
            )
    return ''.join(parts)


def main() -> int:
    """Write or compare the page."""
    text = page()
    if '--check' in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text(encoding='utf-8') == text else 1
    PAGE.write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
