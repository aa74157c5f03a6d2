"""Message definitions and type hashes, as installed by the packages of the interfaces.

A bag with definitions can be read without these packages. The hash (REP 2016) lets a reader notice that a type has changed
since.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

SEPARATOR = '=' * 80


class DefinitionError(Exception):
    """A type is not installed with a definition; the text says what was looked for."""


@functools.cache
def definition(name: str) -> tuple[str, str]:
    """Return the text of a message type with all types it uses, and its hash (RIHS01).

    The text is of the form `ros2msg` of MCAP: the type's file, then each used type under a line `MSG: package/Name`.

    Args:
        name: `package/msg/Name`.

    Raises:
        DefinitionError: The package is not installed, or has no such message.
    """
    description = json.loads(_read(name, 'json'))
    used = [entry['type_name'] for entry in description['type_description_msg']['referenced_type_descriptions']]
    parts = [_read(name, 'msg')]
    parts += [f'{SEPARATOR}\nMSG: {_short(other)}\n{_read(other, "msg")}' for other in used]
    hashes = {entry['type_name']: entry['hash_string'] for entry in description['type_hashes']}
    return '\n'.join(parts), str(hashes[name])


def _read(name: str, extension: str) -> str:
    package, group, message = name.split('/')
    try:
        path = Path(get_package_share_directory(package)) / group / f'{message}.{extension}'
        return path.read_text(encoding='utf-8')
    except (PackageNotFoundError, OSError):
        raise DefinitionError(
            f"no definition of '{name}' is installed (looked for {group}/{message}.{extension} "
            f"in the share folder of '{package}')"
        ) from None


def _short(name: str) -> str:
    package, _, message = name.split('/')
    return f'{package}/{message}'
