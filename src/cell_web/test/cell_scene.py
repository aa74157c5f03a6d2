"""A cell during operation as rosbridge would publish it: real messages as JSON."""

from __future__ import annotations

import base64
from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point32
from rosidl_runtime_py.convert import message_to_ordereddict
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import (
    Alarm,
    AlarmList,
    BagList,
    BagRecord,
    CellStatus,
    CodeReading,
    ComponentCaptured,
    DeadLetter,
    DeliveryState,
    Inventory,
    JobState,
    MatchResult,
    OcrResult,
    PartScore,
    PartStock,
    RobotState,
    ScaleList,
    ScaleState,
    Subsystem,
    TrayStock,
    WeighJob,
    WeighJobList,
)

NODES = ('camera', 'ocr', 'part_matcher', 'robot', 'inventory', 'scale_bridge', 'weigh_station', 'alarms')


def stamp(now: float, ago: float = 0.0) -> Time:
    return Time(sec=int(now - ago), nanosec=int((now - ago) % 1 * 1e9))


def status(now: float, ready: bool = True, camera: str = '') -> CellStatus:
    parts = [Subsystem(name=name, level=Subsystem.OK) for name in NODES]
    if camera:
        parts[0].level, parts[0].message = Subsystem.ERROR, camera
    return CellStatus(stamp=stamp(now), ready=ready, subsystems=parts)


def inventory(now: float) -> Inventory:
    def part(number: str, description: str, letter: str, *counts: int) -> PartStock:
        trays = [
            TrayStock(
                tray=tray,
                count=count,
                capacity=24,
                state=TrayStock.EMPTY if not count else TrayStock.LOW if count <= 4 else TrayStock.FILLED,
            )
            for tray, count in enumerate(counts, 1)
        ]
        return PartStock(part_number=number, description=description, letter=letter, trays=trays, total=sum(counts))

    return Inventory(
        stamp=stamp(now, 31),
        sequence=9,
        parts=[
            part('EM1-2U1', 'Interface relay module, 1 changeover, 24 V', 'A', 12, 12, 12, 12),
            part('EM1-2U4', 'Interface relay module, 2 changeovers, 24 V', 'C', 12, 12, 4, 0),
            part('EM2-2U1', 'Interface relay module, 1 changeover, 12 V', 'E', 12, 24, 8, 6),
            part('G8NB-17SR', 'Automotive relay, 12 V, with resistor', 'F', 3, 0, 0, 0),
        ],
    )


def job(now: float, state: int = JobState.RUNNING, **fields: Any) -> JobState:
    values = {
        'job_id': 'j1',
        'part_number': 'EM1-2U1',
        'quantity': 5,
        'placed': 3,
        'rejected': 1,
        'operator_id': 'Ada',
        'piece': 5,
        'tray': 2,
        'attempt': 1,
        'step': JobState.STEP_READ,
        'last_read_time': 0.31,
        'median_read_time': 0.29,
        **fields,
    }
    match = MatchResult(
        expected_part_number='EM1-2U1',
        verdict=MatchResult.MATCH,
        part_number='EM1-2U1',
        score=0.98,
        decided_by=MatchResult.BY_CATALOGUE,
        text='EM1-2U1',
        reason='The text is the part number.',
    )
    match.header.stamp = stamp(now, 2)
    values.setdefault('last_match', match)
    return JobState(stamp=stamp(now, 4), state=state, created_at=stamp(now, 90), **values)


def crop(text: str) -> CompressedImage:
    """Draw what a crop of a label looks like."""
    picture = np.full((90, 340, 3), (206, 214, 218), np.uint8)
    cv2.putText(picture, text, (14, 62), cv2.FONT_HERSHEY_SIMPLEX, 1.7, (40, 40, 40), 4)
    return CompressedImage(format='jpeg', data=cv2.imencode('.jpg', picture)[1].tobytes())


def mismatch(now: float) -> MatchResult:
    match = MatchResult(
        request_id='read-9',
        expected_part_number='EM1-2U1',
        verdict=MatchResult.MISMATCH,
        part_number='EM1-2U4',
        score=0.94,
        decided_by=MatchResult.BY_BENCHMARK,
        text='EM1-2U4',
        polygon=[Point32(x=float(x), y=float(y)) for x, y in ((0, 0), (340, 0), (340, 90), (0, 90))],
        candidates=[PartScore(part_number='EM1-2U4', score=0.94), PartScore(part_number='EM2-2U1', score=0.31)],
        reason='EM1-2U4 explains the text (0.94) much better than EM1-2U1 (0.41).',
    )
    match.header.stamp = stamp(now, 1)
    return match


def captured(now: float) -> ComponentCaptured:
    """Return a piece that was rejected: the wrong part, with a crop and a code."""
    ocr = OcrResult(request_id='read-9', status=OcrResult.OK, codes=[CodeReading(format='DataMatrix', text='EM1-2U4 M2634')])
    return ComponentCaptured(stamp=stamp(now, 1), job_id='j1', piece=5, attempt=1, ocr=ocr, match=mismatch(now))


def robot(now: float, **fields: Any) -> RobotState:
    return RobotState(
        stamp=stamp(now),
        **{
            'backend': 'letters',
            'connected': True,
            'peer': '127.0.0.1:41234',
            'robot_mode': RobotState.MODE_UNKNOWN,
            'program_state': RobotState.PROGRAM_PLAYING,
            'last_trigger_state': RobotState.TRIGGER_ACKNOWLEDGED,
            'last_trigger_event': 'PART_EM1-2U1',
            'last_trigger_at': stamp(now, 3),
            'last_trigger_id': 't9',
            'data_age': 0.4,
            'speed_scaling': 0.8,
            'recoveries': 1,
            **fields,
        },
    )


def alarms(now: float) -> AlarmList:
    return AlarmList(
        stamp=stamp(now),
        alarms=[
            Alarm(
                alarm_id='a1',
                source='coordinator',
                key='part_rejected',
                priority=Alarm.HIGH,
                state=Alarm.UNACKNOWLEDGED,
                text='Piece 4 of EM1-2U1 was rejected: MISMATCH, it reads EM1-2U4.',
                consequence='The piece is in the reject tray.',
                action='Check tray 2 for foreign parts.',
                raised_at=stamp(now, 40),
                count=2,
            ),
            Alarm(
                alarm_id='a2',
                source='inventory',
                key='low',
                priority=Alarm.MEDIUM,
                state=Alarm.ACKNOWLEDGED,
                text='Tray 3 of EM1-2U4 is low.',
                consequence='A job for it may have to wait.',
                action='Refill the tray.',
                raised_at=stamp(now, 400),
                count=1,
                acknowledged_by='Ada',
                acknowledged_at=stamp(now, 300),
            ),
        ],
    )


def weigh_jobs(now: float) -> WeighJobList:
    return WeighJobList(
        stamp=stamp(now),
        stations=['A', 'B'],
        companies=['Acme', 'Bolt & Sons'],
        default_tolerance='0.10',
        jobs=[
            WeighJob(
                weigh_job_id=7,
                company='Acme',
                station='A',
                target_weight='12.500',
                unit='kg',
                tolerance='0.10',
                tare='0.120',
                quantity=20,
                bags_completed=6,
                bags_out=1,
                bags_voided=1,
                state=WeighJob.ACTIVE,
                started_by='Ada',
                started_at=stamp(now, 900),
            ),
            WeighJob(
                weigh_job_id=6,
                company='Bolt & Sons',
                station='B',
                target_weight='1.10',
                unit='kg',
                tolerance='0.10',
                tare='0',
                quantity=40,
                bags_completed=38,
                state=WeighJob.COMPLETED,
                started_by='Ada',
                started_at=stamp(now, 9000),
                finished_at=stamp(now, 4000),
            ),
        ],
    )


def bags(now: float) -> BagList:
    weights = (
        ('12.480', BagRecord.ZONE_OK),
        ('14.030', BagRecord.ZONE_REJECT_OVER),
        ('11.590', BagRecord.ZONE_WARN_UNDER),
        ('11.260', BagRecord.ZONE_REJECT_UNDER),
        ('12.700', BagRecord.ZONE_OK),
        ('13.710', BagRecord.ZONE_WARN_OVER),
    )
    outcome = {BagRecord.ZONE_REJECT_OVER: BagRecord.OVER, BagRecord.ZONE_REJECT_UNDER: BagRecord.UNDER}
    records = [
        BagRecord(
            bag_id=40 - number,
            reading_id=f'r{number}',
            weigh_job_id=7,
            bag_number=7 - number,
            station='A',
            scale_id='1',
            weight=weight,
            unit='kg',
            target_weight='12.500',
            target_unit='kg',
            zone=zone,
            net_weight=f'{float(weight) - 0.12:.3f}',
            outcome=outcome.get(zone, BagRecord.IN_TOLERANCE),
            voided=number == 4,
            weighed_at=stamp(now, 20 + 45 * number),
        )
        for number, (weight, zone) in enumerate(weights)
    ]
    return BagList(stamp=stamp(now), bags=records)


def delivery(now: float, **fields: Any) -> DeliveryState:
    letters = [
        DeadLetter(
            bag_id=38,
            station='A',
            weight='14.030',
            unit='kg',
            http_status=422,
            refused_at=stamp(now, 60),
            reason='the web application does not know station A',
        ),
        DeadLetter(
            bag_id=31,
            station='A',
            weight='12.210',
            unit='kg',
            http_status=400,
            refused_at=stamp(now, 3000),
            reason='the job was closed',
        ),
    ]
    return DeliveryState(
        stamp=stamp(now),
        **{
            'state': DeliveryState.RETRYING,
            'message': 'The web application does not answer; bags wait and are sent when it does.',
            'waiting': 3,
            'oldest_waiting_at': stamp(now, 95),
            'last_delivered_at': stamp(now, 100),
            'delivered': 1204,
            'dead': 2,
            'dead_letters': letters,
            **fields,
        },
    )


def scales(now: float) -> ScaleList:
    return ScaleList(
        stamp=stamp(now),
        port=10001,
        scales=[
            ScaleState(
                scale_id='1',
                peer='10.0.0.9:4001',
                connected=True,
                last_heard=stamp(now, 3),
                readings=40,
                last_weight='12.480',
                last_unit='kg',
            ),
            ScaleState(
                scale_id='2', connected=False, last_heard=stamp(now, 4000), readings=12, last_weight='3.110', last_unit='kg'
            ),
        ],
    )


def whole_cell(now: float) -> dict[str, Any]:
    """Return topic -> message of a working cell."""
    return {
        'status': status(now),
        'inventory': inventory(now),
        'job': job(now),
        'robot/state': robot(now),
        'alarms': alarms(now),
        'weighing/job': weigh_jobs(now),
        'weighing/bags': bags(now),
        'weighing/scales': scales(now),
        'weighing/delivery': delivery(now),
    }


def written(message: Any) -> OrderedDict[str, Any]:
    """Write a message as rosbridge does: bytes as base64."""
    result: OrderedDict[str, Any] = message_to_ordereddict(message)
    _encode(message, result)
    return result


def _encode(message: Any, into: dict[str, Any]) -> None:
    for name, kind in message.get_fields_and_field_types().items():
        value = getattr(message, name)
        if kind == 'sequence<uint8>':
            into[name] = base64.b64encode(bytes(value)).decode()
        elif hasattr(value, 'get_fields_and_field_types'):
            _encode(value, into[name])
        elif kind.startswith('sequence<') and '/' in kind:
            for inner, entry in zip(value, into[name], strict=True):
                _encode(inner, entry)
