"""Views of the cell for RViz, rqt, Foxglove and Lichtblick, rewritten for a namespace and a frame prefix.

The files in config/ are those of namespace `cell` without a prefix, and can be opened as they are. `ViewFile` writes a copy for
another cell while launching.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, SomeSubstitutionsType, Substitution

__all__ = ['SHIPPED_NAMESPACE', 'ViewFile', 'retarget']

SHIPPED_NAMESPACE = '/cell'
NAME = re.compile(r"(?<![\w/])/cell(?=[/.'\"]|$)")
"""The shipped namespace in a text: as a whole name, or at the beginning of one."""
FRAME_KEYS = {'Fixed Frame', 'followTf', 'frameId'}
"""Keys whose value is a frame; RViz, then Foxglove."""
TF_PREFIX = 'TF Prefix'
"""RViz puts a "/" between this prefix and a link."""
FRAME_PREFIX = 'framePrefix'
"""Foxglove puts nothing between."""


def retarget(text: str, namespace: str, frame_prefix: str) -> str:
    """Return a view for another cell.

    Args:
        text: Content of a file in config/: YAML of RViz, or JSON of rqt or Foxglove.
        namespace: Namespace of the cell, with or without slashes around it; "" = none.
        frame_prefix: Prefix of its frames, e.g. "cell2/". RViz shows the robot only if it is "" or ends with "/".
    """
    inside = namespace.strip('/')
    replacement = f'/{inside}' if inside else ''
    is_json = text.lstrip().startswith('{')
    content = json.loads(text) if is_json else yaml.safe_load(text)
    changed = _changed(content, replacement, frame_prefix)
    return json.dumps(changed, indent=2) + '\n' if is_json else yaml.safe_dump(changed, sort_keys=False)


def _changed(value: object, namespace: str, prefix: str, key: str = '') -> object:
    if isinstance(value, dict):
        return {_renamed(str(name), namespace): _changed(item, namespace, prefix, str(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, namespace, prefix) for item in value]
    if not isinstance(value, str):
        return value
    if key == TF_PREFIX:
        return prefix.rstrip('/')
    if key == FRAME_PREFIX:
        return prefix
    return prefix + value if key in FRAME_KEYS else _renamed(value, namespace)


def _renamed(text: str, namespace: str) -> str:
    return NAME.sub(lambda _match: namespace, text)


class ViewFile(Substitution):
    """Path of a view that was rewritten for this launch."""

    def __init__(
        self,
        source: SomeSubstitutionsType,
        folder: SomeSubstitutionsType,
        namespace: SomeSubstitutionsType,
        frame_prefix: SomeSubstitutionsType,
    ) -> None:
        """Store what is known while launching only.

        Args:
            source: File in config/.
            folder: Where the copy is written; made if it is missing.
            namespace: Namespace of the cell.
            frame_prefix: Prefix of its frames.
        """
        self._parts = [normalize_to_list_of_substitutions(part) for part in (source, folder, namespace, frame_prefix)]

    def describe(self) -> str:
        """Return a description for people."""
        return 'ViewFile()'

    def perform(self, context: LaunchContext) -> str:
        """Write the copy and return its path.

        Args:
            context: Of the launch.

        Raises:
            OSError: The folder cannot be written.
        """
        source, folder, namespace, prefix = (perform_substitutions(context, part) for part in self._parts)
        target = Path(folder) / f'{namespace.strip("/").replace("/", "_") or "root"}{Path(source).suffix}'
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(retarget(Path(source).read_text(encoding='utf-8'), namespace, prefix), encoding='utf-8')
        return str(target)
