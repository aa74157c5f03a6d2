"""Site configuration of indicators by address, and the check of the scale ids that they send.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from cell_weighing.bridge.codecs import CODECS
from cell_weighing.domain.reading import ParsedLine, ReadingStatus

PRINTED, STREAMING = 'printed', 'streaming'
CAPTURES = (PRINTED, STREAMING)
_SCALE_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,31}', re.ASCII)


class PeerError(ValueError):
    """An entry of the peer list cannot be used; the text names the entry and the allowed values."""


@dataclass(frozen=True)
class PeerConfig:
    """Configuration of one address.

    Attributes:
        scale_id: The only scale that may send from this address; "" = any.
        codec: Codec; "" = the bridge's default.
        capture: printed or streaming; "" = the bridge's default.
        dial: host:port of an indicator that is the server; "" = the indicator connects.
        port: Port of the bridge on which the indicator connects; 0 = that of parameter `port`.
    """

    scale_id: str = ''
    codec: str = ''
    capture: str = ''
    dial: str = ''
    port: int = 0


def parse_peers(entries: Iterable[str], formats: Container[str] = CODECS) -> dict[str, PeerConfig]:
    """Parse entries such as "192.168.1.31 id=3 codec=sma capture=streaming".

    Args:
        entries: An IP address each, or "dial:host:port" of an indicator that is the server, or "port:10002" for indicators that
            connect there; followed by any of id, codec and capture.
        formats: Names that codec may have.

    Returns:
        Configuration by address, "host:port" or ":port".

    Raises:
        PeerError: An entry is wrong, or two entries share an address or a scale.
    """
    peers: dict[str, PeerConfig] = {}
    for entry in entries:
        address, peer = _parse(entry, formats)
        if address in peers:
            raise PeerError(f'"{entry}": {address} is named twice')
        if peer.scale_id and any(other.scale_id == peer.scale_id for other in peers.values()):
            raise PeerError(f'"{entry}": scale {peer.scale_id} is named twice')
        peers[address] = peer
    return peers


def _parse(entry: str, formats: Container[str]) -> tuple[str, PeerConfig]:
    """Return key and settings of an entry of parameter `peers`.

    Raises:
        PeerError: The entry has an unknown or repeated key, or an invalid value.
    """
    name, *pairs = entry.split() or ['']
    address, dial, port = _place_of(name, entry)
    # A repeated key shortens the dict, which the next line notices.
    values = dict(pair.split('=', 1) for pair in pairs if '=' in pair)
    if len(values) != len(pairs) or not values.keys() <= {'id', 'codec', 'capture'}:
        raise PeerError(f'"{entry}" may say id=, codec= and capture= after the address, each once')
    peer = PeerConfig(values.get('id', ''), values.get('codec', ''), values.get('capture', ''), dial, port)
    if peer.scale_id and not _SCALE_ID.fullmatch(peer.scale_id):
        raise PeerError(f'"{entry}": id must be 1 to 32 characters of A-Z a-z 0-9 _ . -')
    if peer.codec and peer.codec not in formats:
        raise PeerError(f'"{entry}": codec must be one of {", ".join(CODECS)}, or a name of parameter formats')
    if peer.capture and peer.capture not in CAPTURES:
        raise PeerError(f'"{entry}": capture must be one of {", ".join(CAPTURES)}')
    return address, peer


def _place_of(name: str, entry: str) -> tuple[str, str, int]:
    """Return the key of an entry, the host:port to dial, and the port to listen on.

    Raises:
        PeerError: It is neither an IP address nor a valid `dial:` or `port:`.
    """
    kind, _, rest = name.partition(':')
    if kind == 'dial':
        host, _, number = rest.rpartition(':')
        if not host.strip('[]') or not _is_port(number):
            raise PeerError(f'"{entry}" must name host and port, such as "dial:192.168.1.40:4001 id=3"')
        return rest, rest, 0
    if kind == 'port':
        if not _is_port(rest):
            raise PeerError(f'"{entry}" must name a port, such as "port:10002 id=3"')
        return f':{rest}', '', int(rest)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise PeerError(f'"{entry}" must begin with an IP address, such as "192.168.1.31 id=3"') from None
    return name, '', 0


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= 65535


def check_identity(parsed: ParsedLine, peer: PeerConfig, peers: Mapping[str, PeerConfig], address: str) -> str:
    """Check the scale id of a line against the configuration, and fill in the configured id.

    A line with the id of another address becomes MALFORMED: it is recorded, but not as a weight.

    Args:
        parsed: The line; changed in place.
        peer: Configuration of its address.
        peers: Configuration of all addresses.
        address: Address of the peer, for messages.

    Returns:
        The spoofed id, or "" when the id is right.
    """
    claimed = parsed.scale_id
    if peer.scale_id:
        # A malformed line may show a wrong id by chance; it is attributed to the address and not
        # reported as spoofed.
        if claimed in ('', peer.scale_id) or parsed.status is ReadingStatus.MALFORMED:
            parsed.scale_id = peer.scale_id
            return ''
        _reject(parsed, peer.scale_id, f'the line says scale {claimed}, but {address} is scale {peer.scale_id}')
        return claimed
    if claimed and any(other.scale_id == claimed for other in peers.values()):
        _reject(parsed, '', f'scale {claimed} is bound to another address than {address}')
        return claimed
    if not claimed and parsed.status is not ReadingStatus.MALFORMED:
        _reject(parsed, '', f'the line names no scale: bind {address} to one in parameter peers')
    return ''


def _reject(parsed: ParsedLine, scale_id: str, message: str) -> None:
    parsed.scale_id, parsed.status, parsed.message = scale_id, ReadingStatus.MALFORMED, message
    parsed.weight = parsed.unit = parsed.tare = ''
