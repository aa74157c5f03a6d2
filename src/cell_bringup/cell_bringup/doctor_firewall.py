"""Check of the firewall between the indicators and this machine."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from cell_bringup.doctor_facts import Facts, Finding, bridge_of, failed, ok
from cell_bringup.doctor_listening import is_simulated

FIREWALLS = {
    'ufw': ('/etc/ufw/ufw.conf', 'ENABLED=yes', 'sudo ufw allow {port}/tcp'),
    'firewalld': (
        '/run/firewalld.pid',
        '',
        'sudo firewall-cmd --permanent --add-port={port}/tcp && sudo firewall-cmd --reload',
    ),
}
"""By name: a file, the text in it that says that the firewall is on, and how to open the port."""


def check_firewall(facts: Facts) -> Finding:
    """Report whether a firewall may keep indicators out.

    An indicator that is connected from another machine proves that none does. Without one only hints are possible.
    """
    parameters = bridge_of(facts)
    port = facts.port or parameters.port
    # An indicator of the simulation connects from this machine and proves nothing.
    if any(scale.connected and not _loopback(scale.peer.rsplit(':', 1)[0]) for scale in facts.scales):
        return ok('indicators come through')
    if _loopback(parameters.listen_address) and is_simulated(facts):
        return ok('simulated indicators only: nothing of a simulation can be reached from the network')
    if _loopback(parameters.listen_address):
        return failed(
            "scale_bridge listens on this machine only: set listen_address to 0.0.0.0 or to the address in the scales' network"
        )
    hints = [f'{name} is on: {how.format(port=port)}' for name, (path, word, how) in FIREWALLS.items() if _says(path, word)]
    return ok('no indicator from the network yet; ' + ('; '.join(hints) or f'if none comes, open TCP port {port}'))


def _loopback(address: str) -> bool:
    """Return whether a text is an address of this machine alone; names are none."""
    try:
        return ipaddress.ip_address(address.strip('[]')).is_loopback
    except ValueError:
        return address == 'localhost'


def _says(path: str, word: str) -> bool:
    """Return True if a file holds a word, or exists where the word is ""."""
    try:
        return (not word and Path(path).exists()) or word in Path(path).read_text(encoding='utf-8')
    except OSError:
        return False
