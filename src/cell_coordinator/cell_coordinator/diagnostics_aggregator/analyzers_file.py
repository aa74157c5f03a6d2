"""Reads the groups of the diagnostics tree from a file in the form of diagnostic_aggregator.

A group has `type: diagnostic_aggregator/GenericAnalyzer` with `startswith`, `contains`, `expected`, `find_and_remove_prefix`
(each a text or a list), `timeout` in seconds and `discard_stale`; or `type: diagnostic_aggregator/AnalyzerGroup` with
`analyzers`. Unlike there, names are relative to the cell's namespace, so that one file serves every cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import yaml

from cell_coordinator.diagnostics_aggregator.analyzers import Analyzer

__all__ = ['AnalyzersError', 'parse_analyzers', 'read_analyzers']

GENERIC, GROUP = 'diagnostic_aggregator/GenericAnalyzer', 'diagnostic_aggregator/AnalyzerGroup'
GENERIC_KEYS = {'type', 'path', 'startswith', 'contains', 'expected', 'find_and_remove_prefix', 'timeout', 'discard_stale'}
GROUP_KEYS = {'type', 'path', 'analyzers'}


class AnalyzersError(ValueError):
    """The file cannot be used; the text names the group and the remedy."""


def read_analyzers(path: str) -> tuple[str, list[Analyzer]]:
    """Return the name of the tree's root and its groups.

    Args:
        path: YAML file.

    Raises:
        AnalyzersError: The file cannot be read, or is not of the form.
    """
    try:
        text = Path(path).expanduser().read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise AnalyzersError(f'{path} cannot be read ({error}): correct parameter analyzers_file') from error
    try:
        return parse_analyzers(text)
    except AnalyzersError as error:
        raise AnalyzersError(f'{path}: {error}') from error


def parse_analyzers(text: str) -> tuple[str, list[Analyzer]]:
    """Return the name of the tree's root and its groups.

    Args:
        text: YAML with `path` and `analyzers`, or a parameter file of diagnostic_aggregator: `path` and the groups below
            `<node>: ros__parameters`.

    Raises:
        AnalyzersError: The text is not of the form.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise AnalyzersError(f'not YAML: {error}') from error
    content, entries = _content_of(content)
    found = _groups(entries, '')
    if not found:
        raise AnalyzersError('"analyzers" names no group')
    return str(content.get('path') or 'Cell').strip('/'), found


def _content_of(content: object) -> tuple[Mapping[object, object], Mapping[object, object]]:
    """Return the mapping that holds `path`, and that of the groups."""
    if isinstance(content, Mapping):
        if isinstance(content.get('analyzers'), Mapping) and 'ros__parameters' not in content['analyzers']:
            return content, content['analyzers']
        for node in content.values():
            if isinstance(node, Mapping) and isinstance(parameters := node.get('ros__parameters'), Mapping):
                return parameters, {name: entry for name, entry in parameters.items() if isinstance(entry, Mapping)}
    raise AnalyzersError('there is no mapping "analyzers"')


def _groups(entries: Mapping[object, object], above: str) -> list[Analyzer]:
    """Return the groups of one level and of those below it."""
    found: list[Analyzer] = []
    for name, entry in entries.items():
        if not isinstance(entry, Mapping):
            raise AnalyzersError(f'group "{name}" is no mapping')
        path = above + str(entry.get('path') or name).strip('/')
        kind = entry.get('type')
        allowed = {GENERIC: GENERIC_KEYS, GROUP: GROUP_KEYS}.get(str(kind))
        if allowed is None:
            raise AnalyzersError(f'group "{name}": type is "{kind}"; use {GENERIC} or {GROUP}')
        if unknown := sorted(set(map(str, entry)) - allowed):
            raise AnalyzersError(f'group "{name}": unknown {", ".join(unknown)}; known are {", ".join(sorted(allowed))}')
        if kind == GENERIC:
            found.append(_generic(str(name), path, entry))
        elif isinstance(below := entry.get('analyzers'), Mapping):
            found += _groups(below, f'{path}/')
        else:
            raise AnalyzersError(f'group "{name}" has no mapping "analyzers"')
    return found


def _generic(name: str, path: str, entry: Mapping[object, object]) -> Analyzer:
    timeout = entry.get('timeout', 5.0)
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not math.isfinite(timeout):
        raise AnalyzersError(f'group "{name}": timeout is {timeout!r}; give seconds, 0 = never stale')
    discard = entry.get('discard_stale', False)
    if not isinstance(discard, bool):
        raise AnalyzersError(f'group "{name}": discard_stale is {discard!r}; give true or false')
    analyzer = Analyzer(
        path,
        _texts(name, entry, 'startswith'),
        _texts(name, entry, 'contains'),
        _texts(name, entry, 'expected'),
        _texts(name, entry, 'find_and_remove_prefix'),
        float(timeout),
        discard,
    )
    if not (analyzer.startswith or analyzer.contains or analyzer.expected):
        raise AnalyzersError(f'group "{name}" takes no report: give startswith, contains or expected')
    return analyzer


def _texts(name: str, entry: Mapping[object, object], key: str) -> tuple[str, ...]:
    """Return a text or a list of texts as a tuple."""
    value = entry.get(key, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) and item for item in values):
        raise AnalyzersError(f'group "{name}": {key} is {value!r}; give a text or a list of texts')
    return tuple(values)
