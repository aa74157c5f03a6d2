"""A small history in a database and its files, for tests of packages that read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cell_common.database import migrate, open_database
from cell_common.time import NS_PER_S
from sqlalchemy import Connection, Engine, column, insert, table

__all__ = ['JOB', 'PICTURE', 'START_NS', 'insert_rows', 'job_row', 'make_database', 'make_sample', 'piece_row']

JOB = '01900000-0000-7000-8000-000000000001'
START_NS = 1_796_047_200 * NS_PER_S
"""2026-11-30T14:00:00Z"""
READING = 'reading-7-2'
PICTURE = '20261130T140312.000000_reading-7-2.jpg'
PACKAGES = ('cell_common', 'cell_coordinator', 'cell_inventory', 'cell_vision', 'cell_weighing')
# The smallest JPEG that browsers show: one gray pixel.
_JPEG = bytes.fromhex(
    'ffd8ffe000104a46494600010100000100010000ffdb004300030202020202030202020303030304060404040404080606050609080a0a090809090a0c'
    '0f0c0a0b0e0b09090d110d0e0f101011100a0c12131210130f101010ffc9000b080001000101011100ffcc000600101005ffda0008010100003f00d2cf'
    '20ffd9'
)


def make_database(url: str) -> Engine:
    """Return an open database with the tables of all packages."""
    engine = open_database(url, durable=False)
    for package in PACKAGES:
        migrate(engine, package)
    return engine


def insert_rows(connection: Connection, name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows with the same columns into a table."""
    if rows:
        connection.execute(insert(table(name, *(column(key) for key in rows[0]))), [dict(row) for row in rows])


def job_row(job_id: str, number: int, part_number: str, created_ns: int) -> dict[str, object]:
    """Return the row of a finished job that lasted ten minutes."""
    return {
        'job_id': job_id, 'sequence': number, 'part_number': part_number, 'quantity': 7, 'placed': 7, 'rejected': 1,
        'operator_id': 'ann', 'created_ns': created_ns, 'started_ns': created_ns + NS_PER_S,
        'finished_ns': created_ns + 600 * NS_PER_S, 'state': 'DONE', 'reason': '', 'snapshot': '{}',
    }  # fmt: skip


def piece_row(job_id: str, piece: int, part_number: str, booked_ns: int, *, rejected: bool = False) -> dict[str, object]:
    """Return the row of a placed piece, or of one that was rejected as another part."""
    verdict, recognized = ('MISMATCH', 'EM1-2U4') if rejected else ('MATCH', part_number)
    return {
        'job_id': job_id, 'piece': piece, 'tray': 1, 'outcome': 'REJECTED' if rejected else 'PLACED',
        'reason': 'wrong part: EM1-2U4' if rejected else '', 'verdict': verdict, 'recognized': recognized, 'text': recognized,
        'score': 0.97, 'frame_ns': booked_ns - 3 * NS_PER_S, 'booked_ns': booked_ns, 'part_number': part_number,
        'request_id': READING if rejected else f'reading-{piece}-1',
    }  # fmt: skip


def make_sample(url: str, folder: Path, start_ns: int = START_NS) -> None:
    """Store job JOB of part X1 with 8 pieces, the seventh rejected at 14:03, two bags, an alarm and a command.

    Args:
        url: SQLAlchemy URL; the tables are made.
        folder: State folder of the pictures and clips.
        start_ns: When the job was set, three minutes before the reject.
    """
    engine = make_database(url)
    with engine.begin() as connection:
        _store_pieces(connection, start_ns)
        _store_others(connection, start_ns)
    engine.dispose()
    frames, clips = folder / 'kept_frames', folder / 'recordings' / 'clips'
    frames.mkdir(parents=True)
    clips.mkdir(parents=True)
    (frames / PICTURE).write_bytes(_JPEG)
    record = {
        'file': PICTURE,
        'request_id': READING,
        'job_id': JOB,
        'piece': 7,
        'verdict': 'MISMATCH EM1-2U4',
        'part_number': None,
    }
    (frames / PICTURE).with_suffix('.json').write_text(json.dumps({**record, 'kind': 'REJECT'}))
    at_ns = start_ns + 192 * NS_PER_S
    causes = [
        {'kind': 'reject', 'at_ns': at_ns, 'text': 'piece 7 rejected', 'job_id': JOB, 'piece': 7},
        {'kind': 'alarm', 'at_ns': at_ns, 'text': 'coordinator/part_rejected/7: x', 'job_id': '', 'piece': 0},
    ]
    clip = {'clip': '20261130T140312_reject_0001', 'start_ns': at_ns, 'stop_ns': at_ns, 'causes': causes}
    (clips / 'clips.jsonl').write_text(f'{json.dumps(clip)}\n')


def _store_pieces(connection: Connection, start_ns: int) -> None:
    booked = [start_ns + (12 + 30 * (piece - 1)) * NS_PER_S for piece in range(1, 9)]
    insert_rows(connection, 'pick_job', [job_row(JOB, 1, 'X1', start_ns)])
    rows = [piece_row(JOB, piece, 'X1', at_ns, rejected=piece == 7) for piece, at_ns in enumerate(booked, 1)]
    insert_rows(connection, 'pick_piece', rows)
    common = {'job_id': JOB, 'piece': 7}
    readings = [
        {**common, 'attempt': attempt, 'verdict': verdict, 'recognized': 'EM1-2U4', 'text': 'EM1-2U4', 'score': 0.9,
         'frame_ns': booked[6] - (8 - 3 * attempt) * NS_PER_S, 'matched_ns': booked[6] - (7 - 3 * attempt) * NS_PER_S,
         'request_id': f'reading-7-{attempt}', 'reason': ''}
        for attempt, verdict in ((1, 'AMBIGUOUS'), (2, 'MISMATCH'))
    ]  # fmt: skip
    insert_rows(connection, 'pick_reading', readings)
    triggers = [
        {**common, 'trigger_id': f'{JOB}-{number}', 'effect_id': number, 'event': event, 'tray': 1,
         'sent_ns': booked[6] - ago * NS_PER_S, 'finished_ns': booked[6] - (ago - 1) * NS_PER_S,
         'outcome': 'SUCCEEDED', 'message': ''}
        for number, event, ago in ((40, 'PART_X1', 12), (44, 'REJECT', 1))
    ]  # fmt: skip
    insert_rows(connection, 'pick_trigger', triggers)
    stock = [
        {'sequence': piece, 'stamp_ns': at_ns, 'kind': 2 if piece == 7 else 1, 'part_number': 'X1', 'tray': 1, 'delta': -1,
         'count_after': 20 - piece, 'job_id': JOB, 'piece': piece, 'operator_id': 'ann', 'reason': '', 'undoes': None}
        for piece, at_ns in enumerate(booked, 1)
    ]  # fmt: skip
    insert_rows(connection, 'stock_ledger', stock)


def _store_others(connection: Connection, start_ns: int) -> None:
    at_ns = start_ns + 192 * NS_PER_S
    alarm = {
        'alarm_id': 'alarm-1', 'source': 'coordinator', 'key': 'part_rejected/7', 'priority': 1, 'text': 'Piece 7 rejected',
        'consequence': '', 'action': '', 'raised_ns': at_ns, 'last_event_ns': at_ns, 'number': 1, 'count': 1, 'active': False,
        'acknowledged_by': 'bea', 'acknowledged_ns': at_ns + NS_PER_S, 'cleared_ns': at_ns, 'shelved_until_ns': 0,
    }  # fmt: skip
    columns = {name: alarm[name] for name in ('alarm_id', 'source', 'key', 'raised_ns', 'last_event_ns')}
    insert_rows(connection, 'alarm', [{**columns, 'open': False, 'snapshot': json.dumps(alarm)}])
    command = {
        'node': 'coordinator', 'command': 'set_job', 'request_id': 'request-1', 'operator_id': 'ann', 'role': 'operator',
        'origin': '10.0.0.7', 'received_ns': start_ns, 'issued_ns': start_ns, 'expires_ns': 0, 'code': 0, 'message': '',
        'arguments': '{"part_number": "X1", "quantity": 7}', 'fingerprint': '',
    }  # fmt: skip
    refused = {
        **command,
        'command': 'run_job',
        'code': 4,
        'message': 'not ready',
        'received_ns': start_ns + 1,
        'request_id': 'r2',
    }
    insert_rows(connection, 'command_log', [command, refused])
    bags = [
        {'scale_id': '1', 'reading_id': f'line-{number}', 'weight_exact': weight, 'weight_unit': 'kg', 'station': 'A',
         'bag_number': number, 'outcome': outcome, 'weighed_ns': at_ns + number, 'stability': 1, 'message': '', 'zone': zone}
        for number, weight, outcome, zone in ((1, '12.50', 3, 0), (2, '14.10', 3, 0))
    ]  # fmt: skip
    insert_rows(connection, 'weigh_bag', bags)
    line = {
        'reading_id': 'line-1', 'scale_id': '1', 'sequence': 1, 'received_ns': at_ns, 'monotonic_ns': 1, 'boot_id': 'b',
        'raw': b'1,12.50 kg', 'status': 0, 'weight': '12.50', 'unit': 'kg', 'stability': 1, 'mode': 0, 'tare': '',
        'message': '', 'peer': '10.0.0.9',
    }  # fmt: skip
    insert_rows(connection, 'weigh_reading', [line])
    delivery = {
        'reading_id': 'line-1', 'station': 'A', 'scale_id': '1', 'weight': '12.50', 'unit': 'kg', 'state': 1, 'attempts': 1,
        'received_ns': at_ns, 'validated_ns': at_ns + 1, 'stored_ns': at_ns + 2, 'posted_ns': at_ns + 3,
        'acknowledged_ns': at_ns + 4, 'error': '', 'http_status': 200,
    }  # fmt: skip
    insert_rows(connection, 'weigh_delivery', [delivery])
