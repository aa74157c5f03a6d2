"""Who is at the other end? What a site knows of an indicator by the address it connects from. No socket, no clock."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cell_weighing.bridge.codecs import CODECS
from cell_weighing.domain.reading import ParsedLine, ReadingStatus

PRINTED, STREAMING = 'printed', 'streaming'
CAPTURES = (PRINTED, STREAMING)
_SCALE_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,31}', re.ASCII)


class PeerError(ValueError):
    """An entry of the peer list cannot be used; the text names it and what is allowed."""


@dataclass(frozen=True)
class PeerConfig:
    """What is configured for one address."""

    scale_id: str = ''
    """The only scale that may speak from there; "" = any."""
    codec: str = ''
    """What it sends; "" = the bridge's default."""
    capture: str = ''
    """printed or streaming; "" = the bridge's default."""


def parse_peers(entries: Iterable[str]) -> dict[str, PeerConfig]:
    """Read entries such as "192.168.1.31 id=3 codec=sma capture=streaming": an address and what is known of it.

    Raises:
        PeerError: An entry is wrong, or two are for one address or one scale.
    """
    peers: dict[str, PeerConfig] = {}
    for entry in entries:
        address, peer = _parse(entry)
        if address in peers:
            raise PeerError(f'"{entry}": {address} is named twice')
        if peer.scale_id and any(other.scale_id == peer.scale_id for other in peers.values()):
            raise PeerError(f'"{entry}": scale {peer.scale_id} is named twice')
        peers[address] = peer
    return peers


def _parse(entry: str) -> tuple[str, PeerConfig]:
    address, *pairs = entry.split() or ['']
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise PeerError(f'"{entry}" must begin with an IP address, such as "192.168.1.31 id=3"') from None
    values = dict(pair.split('=', 1) for pair in pairs if '=' in pair)
    if len(values) != len(pairs) or not values.keys() <= {'id', 'codec', 'capture'}:
        raise PeerError(f'"{entry}" may say id=, codec= and capture= after the address, each once')
    peer = PeerConfig(values.get('id', ''), values.get('codec', ''), values.get('capture', ''))
    if peer.scale_id and not _SCALE_ID.fullmatch(peer.scale_id):
        raise PeerError(f'"{entry}": id must be 1 to 32 characters of A-Z a-z 0-9 _ . -')
    if peer.codec and peer.codec not in CODECS:
        raise PeerError(f'"{entry}": codec must be one of {", ".join(CODECS)}')
    if peer.capture and peer.capture not in CAPTURES:
        raise PeerError(f'"{entry}": capture must be one of {", ".join(CAPTURES)}')
    return address, peer


def check_identity(weighing: ParsedLine, peer: PeerConfig, peers: Mapping[str, PeerConfig], address: str) -> str:
    """Check the scale id of a weighing against what is configured, and put the right one in.

    A weighing whose id cannot be believed becomes MALFORMED: it is recorded, and is no weight.

    Returns:
        The false id that the line claims, or "" when all is well.
    """
    claimed = weighing.scale_id
    if peer.scale_id:
        if claimed in ('', peer.scale_id):
            weighing.scale_id = peer.scale_id
            return ''
        if weighing.status is ReadingStatus.MALFORMED:
            weighing.scale_id = peer.scale_id
            return ''
        _refuse(weighing, peer.scale_id, f'the line says scale {claimed}, but {address} is scale {peer.scale_id}')
        return claimed
    if claimed and any(other.scale_id == claimed for other in peers.values()):
        _refuse(weighing, '', f'scale {claimed} is bound to another address than {address}')
        return claimed
    if not claimed and weighing.status is not ReadingStatus.MALFORMED:
        _refuse(weighing, '', f'the line names no scale: bind {address} to one in parameter peers')
    return ''


def _refuse(weighing: ParsedLine, scale_id: str, message: str) -> None:
    weighing.scale_id, weighing.status, weighing.message = scale_id, ReadingStatus.MALFORMED, message
    weighing.weight = weighing.unit = weighing.tare = ''
