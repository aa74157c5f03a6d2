"""Definitions and hashes of installed interfaces, in the form in which MCAP files hold them.

A bag with definitions can be decoded without the packages that define its messages. The hash (REP 2016) tells whether a type
has changed since.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

__all__ = ['DefinitionError', 'installed_definition', 'installed_hash']

SEPARATOR = '=' * 80
EVENT_SUFFIXES = ('_Event', '_Request', '_Response')


class DefinitionError(Exception):
    """A type is not installed with a definition; the text says what was looked for."""


@functools.cache
def installed_definition(name: str) -> tuple[str, str]:
    """Return the definition of a type with all types it uses, and its hash (RIHS01).

    The definition has the form `ros2msg` of MCAP: the text of the type, then each used type below a line `MSG: package/Name`.

    Args:
        name: `package/msg/Name`, or `package/srv/Name_Event` for the events of a service.

    Raises:
        DefinitionError: The package is not installed, or has no such type.
    """
    hashes = _hashes(name)
    used = [other for other in _used(name, hashes) if other != name]
    parts = [_text(name), *(f'{SEPARATOR}\nMSG: {_short(other)}\n{_text(other)}' for other in used)]
    return '\n'.join(parts), hashes[name]


def installed_hash(name: str) -> str:
    """Return the hash of an installed type; "" when it is not installed."""
    try:
        return _hashes(name)[name]
    except DefinitionError:
        return ''


@functools.cache
def _hashes(name: str) -> dict[str, str]:
    """Return name -> hash of a type and of all types it uses."""
    description = json.loads(_read(_base(name), 'json'))
    hashes = {str(entry['type_name']): str(entry['hash_string']) for entry in description['type_hashes']}
    if name not in hashes:
        raise DefinitionError(f"no definition of '{name}' is installed: its file describes {', '.join(hashes)}")
    return hashes


def _used(name: str, hashes: dict[str, str]) -> list[str]:
    """Return the types that a type uses, in the order of their names.

    The file of a service describes the service itself and its other parts, too; those that the type does not use are left out.
    """
    if '/srv/' not in name:
        return sorted(hashes)
    base = _base(name)
    parts = {f'{base}{suffix}' for suffix in EVENT_SUFFIXES}
    own = parts if name.endswith('_Event') else {name}
    return sorted(other for other in hashes if other != base and (other not in parts or other in own))


def _text(name: str) -> str:
    """Return the definition of one type alone."""
    base = _base(name)
    if base == name:
        return _read(name, 'msg')
    request, _, response = f'\n{_read(base, "srv")}'.partition('\n---')
    if name.endswith('_Request'):
        return request
    if name.endswith('_Response'):
        return response.lstrip('-')
    return f'service_msgs/ServiceEventInfo info\n{base}_Request[<=1] request\n{base}_Response[<=1] response\n'


def _base(name: str) -> str:
    """Return the service that a type belongs to; the type itself when it is a message."""
    suffix = next((suffix for suffix in EVENT_SUFFIXES if '/srv/' in name and name.endswith(suffix)), '')
    return name.removesuffix(suffix)


def _short(name: str) -> str:
    package, group, message = name.split('/')
    return f'{package}/{message}' if group == 'msg' else name


@functools.cache
def _read(name: str, extension: str) -> str:
    try:
        package, group, message = name.split('/')
        path = Path(get_package_share_directory(package)) / group / f'{message}.{extension}'
        return path.read_text(encoding='utf-8')
    except (PackageNotFoundError, ValueError, OSError):
        raise DefinitionError(f"no definition of '{name}' is installed: install the package that defines it") from None
