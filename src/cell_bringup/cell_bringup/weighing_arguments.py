"""The command lines of `cell weigh` and `cell scale`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

__all__ = ['WEIGH_ACTIONS', 'add_scale', 'add_weigh', 'with_action']

WEIGH_ACTIONS = ('run', 'start', 'end', 'void', 'undo-void', 'reopen', 'list', 'bag')
UNITS = ('kg', 'g', 'lb', 'oz', 't')


def with_action(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the action that `cell weigh 1.10 3` leaves out.

    Args:
        arguments: Command line without the program.
    """
    found = list(arguments)
    if 'weigh' in found:
        place = found.index('weigh') + 1
        if place < len(found) and found[place] not in (*WEIGH_ACTIONS, '-h', '--help'):
            found.insert(place, 'run')
    return found


def add_weigh(weigh: argparse.ArgumentParser) -> None:
    """Add the actions of `cell weigh`."""
    what = weigh.add_subparsers(dest='action', required=True)
    for name, text in (
        ('run', 'run a weigh job and show its progress; "cell weigh 1.10 3" is the same'),
        ('start', 'start a weigh job and return'),
    ):
        start = what.add_parser(name, help=text)
        start.add_argument('target_weight', help='e.g. 1.10')
        start.add_argument('quantity', type=int, help='good bags')
        start.add_argument('--station', default='', help='default: the only one, else A')
        start.add_argument('--company', default='Demo company' if name == 'run' else '', help='customer')
        start.add_argument('--unit', default='kg', choices=UNITS, help='unit of target and tare (default: kg)')
        start.add_argument('--tolerance', default='', help='share of the target, e.g. 0.05 (default: that of the station)')
        start.add_argument('--tare', default='', help='weight of the empty bag, subtracted from gross weights')
    end = what.add_parser('end', help='end the weigh job of a station before its quantity is reached')
    end.add_argument('--station', default='', help='default: the only one, else A')
    end.add_argument('--reason', default='', help='kept with the job')
    for name, text in (('void', 'void a bag: it no longer counts'), ('undo-void', 'take back the voiding of a bag')):
        bag = what.add_parser(name, help=text)
        bag.add_argument('bag_id', type=int, help='number of the bag record, see cell weigh list')
        bag.add_argument('reason', help='kept with the record')
    reopen = what.add_parser('reopen', help='make a completed weigh job active again')
    reopen.add_argument('weigh_job_id', type=int)
    reopen.add_argument('reason', help='kept with the record')
    reopen.add_argument('--quantity', type=int, default=0, help='new number of good bags (default: unchanged)')
    what.add_parser('list', help='show stations, weigh jobs, the latest bags and known companies')
    shown = what.add_parser('bag', help='show one bag and where its delivery stands')
    shown.add_argument('bag_id', type=int)


def add_scale(scale: argparse.ArgumentParser) -> None:
    """Add the actions of `cell scale`."""
    what = scale.add_subparsers(dest='action', required=True)
    trial = what.add_parser(
        'try', help='show each record of an indicator as each format reads it, and name the format; exit code 1 = none fits'
    )
    trial.add_argument('source', help='file with bytes of the indicator, or host:port of an indicator that is the server')
    trial.add_argument('--format', default='', help='try this one only')
    trial.add_argument('--template', default='', help='print format for --format template')
    trial.add_argument('--unit', default='', choices=('', *UNITS), help='unit of records that name none')
    trial.add_argument('--comma', action='store_true', help='numbers have a decimal comma')
    trial.add_argument('--seconds', type=float, default=5.0, help='host:port: how long to listen (default: 5)')
    trial.add_argument('--records', type=int, default=20, help='most records that are shown (default: 20)')
