"""Imports rclpy with every private method and field under another name, as another release may have it.

Python imports this module at its start if the folder is in PYTHONPATH. rclpy itself works as before; code outside of it that
uses one of its private names fails.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import io
import re
import sys
import tokenize
from functools import cache
from pathlib import Path

PREFIX = '_renamed'
ATTRIBUTE = re.compile(r'\.(_\w+)')


def private_names(source: str) -> set[str]:
    """Return the private methods and fields that the classes of a module define."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            names |= {f.name for f in node.body if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)}
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return {name for name in names if name.startswith('_') and not name.startswith('__')}


@cache
def names_of(folder: Path) -> frozenset[str]:
    names = frozenset().union(*(private_names(path.read_text('utf-8')) for path in folder.rglob('*.py')))
    return names - private_names((folder / 'qos.py').read_text('utf-8'))  # it puts its names together from parts


def renamed(source: str, names: frozenset[str]) -> str:
    """Return the source with `names` prefixed: as identifiers, as texts of their own (`__slots__`) and in f-strings."""
    lines = source.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        text = token.string
        if token.type == tokenize.NAME and text in names:
            text = PREFIX + text
        elif token.type == tokenize.STRING and text.strip('\'"') in names:
            text = text[0] + PREFIX + text[1:]
        elif token.type == tokenize.STRING and text[0] in 'fF' and '\n' not in text:  # one token until Python 3.12
            text = ATTRIBUTE.sub(lambda match: f'.{PREFIX}{match[1]}' if match[1] in names else match[0], text)
        if text != token.string:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + text + line[column + len(token.string) :]
    return ''.join(lines)


class RenamingLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        folder = Path(self.path)
        while folder.name != 'rclpy':
            folder = folder.parent
        source = importlib.util.decode_source(self.get_data(self.path))
        return compile(renamed(source, names_of(folder)), self.path, 'exec', dont_inherit=True)


class RenamingFinder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split('.')[0] != 'rclpy':
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = RenamingLoader(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, RenamingFinder())
