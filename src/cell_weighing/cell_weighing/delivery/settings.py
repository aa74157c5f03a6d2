"""Settings file of the old scale server, and the API key of the web application.

The key comes from a key file, the variable CELL_WEIGHING_API_KEY or `api_key` of the settings file, in this order. It never
appears in a parameter, a log, an exception or a repr.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

FILE_NAME = 'settings.json'
KEY_VARIABLE = 'CELL_WEIGHING_API_KEY'
_TEXTS = ('host', 'site_url', 'controller', 'function', 'api_key', 'station')


class SettingsError(ValueError):
    """The settings cannot be used; the text says why and contains no secret."""


@dataclass(frozen=True)
class WebAppSettings:
    """Content of the old server's settings.json.

    Attributes:
        host: Address on which indicators connect.
        port: TCP port on which indicators connect; 0 = not given.
        site_url: First part of the address for bags.
        controller: Second part.
        function: Third part.
        station: Station of every scale without an entry in parameter `scale_ids`; "" = none.
        api_key: Key of the web application; excluded from the repr.
    """

    host: str = ''
    port: int = 0
    site_url: str = ''
    controller: str = ''
    function: str = ''
    station: str = ''
    api_key: str = field(default='', repr=False)

    @property
    def url(self) -> str:
        """Address for bags: site_url, controller and function, with one slash between each; "" = no web application."""
        parts = (self.site_url.rstrip('/'), self.controller.strip('/'), self.function.strip('/'))
        return '/'.join(part for part in parts if part) if self.site_url else ''


def settings_path(path: str, folder: Path | None) -> str:
    """Return the settings file that is used: the named one, else settings.json in the state folder; "" = none.

    Args:
        path: Parameter settings_file.
        folder: The state folder; None = the database is on a server.
    """
    found = folder / FILE_NAME if folder and not path else None
    return str(found) if found and found.is_file() else path


def read_settings(path: str) -> WebAppSettings:
    """Read a settings file.

    Args:
        path: The file; "" = none, then there is no web application.

    Raises:
        SettingsError: The file cannot be read, or a value is wrong.
    """
    if not path:
        return WebAppSettings()
    try:
        # Windows editors put a byte order mark first, which is not JSON.
        text = Path(path).expanduser().read_text(encoding='utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f'cannot read the settings file {path}: {getattr(error, "strerror", None) or "not UTF-8"}. '
            'Check parameter settings_file.'
        ) from None
    return parse_settings(text, path)


def parse_settings(text: str, path: str = 'settings.json') -> WebAppSettings:
    """Parse the text of a settings file; unknown keys are ignored.

    Args:
        text: JSON.
        path: Name of the file, for errors.

    Raises:
        SettingsError: A value is wrong.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        # The parser's text quotes nothing of the file, which holds the key.
        raise SettingsError(
            f'the settings file {path} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}. '
            'Look for a comma too many or too few and for quotes before this place.'
        ) from None
    except (ValueError, RecursionError):
        raise SettingsError(f'the settings file {path} is not JSON') from None
    if not isinstance(data, dict):
        raise SettingsError(f'the settings file {path} must hold one JSON object')
    values = {name: data.get(name) or '' for name in _TEXTS}
    values |= {name: value.strip() for name, value in values.items() if isinstance(value, str)}
    wrong = [name for name, value in values.items() if not isinstance(value, (str, int))]
    if wrong:
        raise SettingsError(f'the settings file {path}: {wrong[0]} must be a text')
    port = data.get('port') or 0
    if isinstance(port, str) and port.isascii() and port.isdigit():
        port = int(port)
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise SettingsError(f'the settings file {path}: port must be a number from 1 to 65535')
    settings = WebAppSettings(port=port, **{name: str(value) for name, value in values.items()})
    _check_address(settings, path)
    return settings


def _check_address(settings: WebAppSettings, path: str) -> None:
    """Raise a SettingsError that names the resulting address, unless it can be one."""
    if not settings.site_url:
        return
    try:
        address = urlsplit(settings.url)
        usable = address.hostname and address.port != 0
    except ValueError:  # a port that is none, or brackets that do not match
        usable = False
    scheme = settings.site_url.lower().startswith(('http://', 'https://'))
    if not scheme or not usable or not settings.url.isprintable() or ' ' in settings.url or '@' in address.netloc:
        raise SettingsError(
            f'the settings file {path}: site_url must begin with http:// or https:// and a host name; bags would be posted to '
            f'"{settings.url}". Correct site_url, controller and function.'
        )


def read_api_key(settings: WebAppSettings, key_file: str, environment: Mapping[str, str]) -> str:
    """Return the API key of the web application.

    Args:
        settings: Content of the settings file.
        key_file: File with the key; "" = none.
        environment: Environment variables.

    Raises:
        SettingsError: There is no key, the key file cannot be read, or the key has characters that are not allowed.
    """
    key = environment.get(KEY_VARIABLE) or settings.api_key
    if key_file:
        try:
            key = Path(key_file).expanduser().read_text(encoding='ascii')
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f'cannot read the key file {key_file}: check parameter key_file and its permissions') from None
    key = key.strip()
    if not key:
        raise SettingsError(
            f'there is no key to the web application: set parameter key_file, the variable {KEY_VARIABLE} '
            'or api_key in the settings file'
        )
    # Such a key would break the HTTP header; the text of the error does not repeat it.
    if key.lower().startswith('bearer '):
        raise SettingsError('the key to the web application begins with "Bearer": write the key alone, the cell adds the word')
    if not key.isascii() or not key.isprintable() or ' ' in key:
        raise SettingsError('the key to the web application has characters that a key cannot have')
    return key
