"""Decisions as they are made of messages: of those in a bag, and of those of a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cell_common.time import to_ns

from cell_history.bags.types import Message
from cell_history.replay.decisions import DecisionKind, DecisionRecord, rounded
from cell_history.replay.recorded_request import RecordedRequest
from cell_interfaces.msg import BagRecord, InventoryEvent, MatchResult, OcrResult

__all__ = [
    'DECIDED_TOPICS',
    'bag_decision',
    'benchmark_decision',
    'book_decision',
    'booked_sequences',
    'match_decision',
    'read_decision',
    'recorded_decisions',
    'stock_decision',
    'weigh_decision',
]

CAPTURED, EVENTS, BAGS = 'component_captured', 'inventory/events', 'weighing/bag'
DECIDED_TOPICS = frozenset({CAPTURED, EVENTS, BAGS})
"""Topics that hold decisions which no request of a service holds."""
ROBOT_KINDS = (InventoryEvent.PLACE, InventoryEvent.REJECT)
Published = tuple[int, str, Message]
"""Time in nanoseconds, topic, message."""
Pieces = dict[str, dict[str, object]]
"""Id of a reading -> job, piece and attempt."""


def recorded_decisions(asked: Sequence[RecordedRequest], published: Iterable[Published]) -> list[DecisionRecord]:
    """Return what was decided during the recording, in the order in which a replay decides it again.

    Args:
        asked: Requests with the answers of that time.
        published: Messages of DECIDED_TOPICS.
    """
    pieces = pieces_of(published)
    events: dict[str, list[Message]] = {}
    bags: dict[str, Message] = {}
    for _, name, value in published:
        if name == EVENTS:
            events.setdefault(_event_key(value), []).append(value)
        elif name == BAGS:
            bags.setdefault(value.reading_id, value)
    found: list[DecisionRecord] = []
    for item in asked:
        found += _decided(item, pieces, events, bags)
    return found


def pieces_of(published: Iterable[Published]) -> Pieces:
    """Return id of a reading -> job, piece and attempt, as far as the pick job asked for it."""
    return {
        value.match.request_id: {'job_id': value.job_id, 'piece': int(value.piece), 'attempt': int(value.attempt)}
        for _, name, value in published
        if name == CAPTURED and value.job_id
    }


def booked_sequences(published: Iterable[Published]) -> dict[str, int]:
    """Return job and piece, or id of a command -> number of its last entry in the ledger."""
    found: dict[str, int] = {}
    for _, name, value in published:
        if name == EVENTS:
            found[_event_key(value)] = max(int(value.sequence), found.get(_event_key(value), 0))
    return found


def _decided(
    item: RecordedRequest, pieces: Pieces, events: dict[str, list[Message]], bags: dict[str, Message]
) -> list[DecisionRecord]:
    """Return the decisions of one request of the recording."""
    request, response, found = item.request, item.response, None
    match item.name:
        case 'ocr/read' if request.request_id:
            found = read_decision(response.result, item.at_ns, pieces)
        case 'matching/match' if request.request_id:
            found = match_decision(response.result, int(response.code), item.at_ns, pieces, request.request_id)
        case 'matching/store_benchmark':
            found = benchmark_decision(request, response, item.at_ns)
        case 'inventory/book':
            entries = events.get(f'{request.job_id}/{request.piece}', [])
            found = book_decision(request, int(response.code), [] if response.already_booked else entries, item.at_ns)
        case 'weighing/weight' if request.reading_id in bags:
            found = bag_decision(bags[request.reading_id])
        case name if name.startswith('inventory/') and hasattr(request, 'command'):
            found = stock_decision(item, int(response.code), events.get(request.command.request_id, []))
        case name if name.startswith('weighing/') and hasattr(request, 'command'):
            found = weigh_decision(item, int(response.code))
    return [found] if found else []


def read_decision(result: OcrResult, at_ns: int, pieces: Pieces) -> DecisionRecord:
    """Return a reading as a decision."""
    names = {OcrResult.OK: 'OK', OcrResult.NO_TEXT: 'NO_TEXT', OcrResult.NO_FRAME: 'NO_FRAME', OcrResult.FAILED: 'FAILED'}
    return DecisionRecord(
        DecisionKind.READ,
        result.request_id,
        at_ns,
        {
            'status': names.get(result.status, str(result.status)),
            'texts': [text.text for text in result.texts],
            'scores': [rounded(text.score) for text in result.texts],
            'codes': [code.text for code in result.codes],
            'frames': int(result.frames),
        },
        pieces.get(result.request_id, {}),
    )


def match_decision(result: MatchResult, code: int, at_ns: int, pieces: Pieces, key: str = '') -> DecisionRecord:
    """Return a verdict as a decision.

    Args:
        result: The verdict; empty when `code` is not OK.
        code: ResultCode of the answer.
        at_ns: ROS time in nanoseconds.
        pieces: Of `pieces_of`.
        key: Id of the request; "" = that of the result.
    """
    names = {getattr(MatchResult, name): name for name in ('MATCH', 'MISMATCH', 'AMBIGUOUS', 'UNREADABLE', 'UNKNOWN')}
    ways = {MatchResult.BY_NONE: '', MatchResult.BY_CATALOGUE: 'catalogue', MatchResult.BY_BENCHMARK: 'benchmark'}
    request_id = key or result.request_id
    return DecisionRecord(
        DecisionKind.MATCH,
        request_id,
        at_ns,
        {
            'verdict': names.get(result.verdict, str(result.verdict)) if code == 0 else 'REFUSED',
            'part_number': result.part_number,
            'score': rounded(result.score),
            'decided_by': ways.get(result.decided_by, 'code'),
            'text': result.text,
            'reason': result.reason,
        },
        {'ordered': result.expected_part_number, **pieces.get(request_id, {})},
    )


def benchmark_decision(request: Message, response: Message, at_ns: int) -> DecisionRecord:
    """Return the storage of a benchmark as a decision."""
    values = {'code': int(response.code), 'version': int(response.version)}
    return DecisionRecord(
        DecisionKind.BENCHMARK, request.command.request_id, at_ns, values, {'part_number': request.part_number}
    )


def book_decision(request: Message, code: int, entries: Sequence[InventoryEvent], at_ns: int) -> DecisionRecord:
    """Return the booking of a piece as a decision.

    Args:
        request: Of inventory/book.
        code: ResultCode of the answer.
        entries: What was added to the ledger; empty when the piece was booked before.
        at_ns: ROS time in nanoseconds.
    """
    names = {InventoryEvent.PLACE: 'PLACED', InventoryEvent.REJECT: 'REJECTED'}
    entry = next((item for item in entries if item.kind in ROBOT_KINDS), None)
    values: dict[str, object] = {'code': code, 'tray': int(request.tray)}
    if entry is not None:
        values |= {'outcome': names[entry.kind], 'tray': int(entry.tray), 'count_after': int(entry.count_after)}
    about = {'job_id': request.job_id, 'piece': int(request.piece), 'part_number': request.part_number}
    return DecisionRecord(DecisionKind.BOOK, f'{request.job_id}/{request.piece}', at_ns, values, about)


def stock_decision(item: RecordedRequest, code: int, entries: Sequence[InventoryEvent]) -> DecisionRecord:
    """Return an operator's booking as a decision."""
    counts = [[entry.part_number, int(entry.tray), int(entry.count_after)] for entry in entries if entry.delta]
    values = {'code': code, 'counts_after': counts}
    return DecisionRecord(
        DecisionKind.STOCK, item.request.command.request_id or str(item.at_ns), item.at_ns, values, {'command': item.name}
    )


def weigh_decision(item: RecordedRequest, code: int) -> DecisionRecord:
    """Return a command of the weigh station as a decision."""
    key = item.request.command.request_id or str(item.at_ns)
    about = {'command': item.name, 'station': str(getattr(item.request, 'station', ''))}
    return DecisionRecord(DecisionKind.WEIGH, key, item.at_ns, {'code': code}, about)


def bag_decision(bag: BagRecord) -> DecisionRecord:
    """Return a weighed bag as a decision."""
    outcomes = ('IN_TOLERANCE', 'UNDER', 'OVER', 'NO_ACTIVE_JOB')
    zones = ('NONE', 'REJECT_UNDER', 'WARN_UNDER', 'OK', 'WARN_OVER', 'REJECT_OVER')
    return DecisionRecord(
        DecisionKind.BAG,
        bag.reading_id,
        to_ns(bag.weighed_at),
        {
            'outcome': outcomes[bag.outcome],
            'zone': zones[bag.zone],
            'weigh_job_id': int(bag.weigh_job_id),
            'bag_number': int(bag.bag_number),
            'net_weight': bag.net_weight,
            'station': bag.station,
        },
        {'scale_id': bag.scale_id, 'weight': f'{bag.weight} {bag.unit}'},
    )


def _event_key(event: Message) -> str:
    return f'{event.job_id}/{event.piece}' if event.job_id else str(event.request_id)
