"""All texts of alarms, of pauses and of robot stops: cause, consequence, action and priority.

Pure: no ROS, sockets, files or clock.

Nodes raise the alarms by `AlarmReporter.raise_known`. A paused or canceled job gives one of `REASONS` as its reason.
`tools/alarm_docs.py` writes docs/alarms.md and the texts of the page from here. `test_alarm_texts.py` checks their lengths:
`alarm_text` has the limits. `CAUSES` says which alarm follows from which, so that one cause is shown as one alarm.
"""

from __future__ import annotations

from collections.abc import Mapping

from cell_common.alarm_text import AlarmText

__all__ = ['ALARM_TEXTS', 'CAUSES', 'REASONS', 'ROBOT_STOPS']

LOW, MEDIUM, HIGH = range(3)
_RESUME_OR_CANCEL = 'Press Resume or Cancel job.'
_FILL_TRAY = ('Fill a tray.', 'Press Reload at the part and save the count.')
_CALL_MAINTENANCE = ('Call maintenance.', 'Read the log on the pendant and restart safety there.')
_AFTER_EMERGENCY = ('Remove the danger.', 'Release the emergency stop at the machine.', 'Recover the robot.')

ALARM_TEXTS: Mapping[str, AlarmText] = {
    'robot/not_connected': AlarmText(
        HIGH,
        'Robot not connected',
        'The robot cannot pick.',
        ('{advice}', 'Read the robot panel: it names the cause.'),
    ),
    'robot/outcome_unknown': AlarmText(
        HIGH,
        '{cause}Robot step not confirmed: {event}',
        'The robot does not repeat the step automatically.',
        (
            'Clear the robot area.',
            'Recover the robot if it has stopped.',
            'Answer at the job where the piece is.',
            'Press Resume.',
        ),
    ),
    'robot/slot_empty': AlarmText(
        LOW,
        'Empty slot in a tray of {part}',
        'The robot took the piece from the next slot. The count of the tray may be wrong.',
        ('Look into the tray.', 'Correct its count in the stock list.'),
    ),
    'coordinator/step_not_confirmed': AlarmText(
        HIGH,
        '{cause}{step} not confirmed',
        'The job is paused.',
        ('Clear the robot area.', 'Recover the robot if it has stopped.', 'Answer below where the piece is.', 'Press Resume.'),
    ),
    'coordinator/step_interrupted': AlarmText(
        HIGH,
        '{step} interrupted',
        'The job is paused. The robot knows how far it got.',
        ('Clear the robot area.', '{remedy}.', 'Or answer below where the piece is.'),
    ),
    'coordinator/robot_refused': AlarmText(
        HIGH,
        'Robot refused: {step}',
        'The job is paused. The step was not executed.',
        ('Read the robot panel and fix the cause.', _RESUME_OR_CANCEL),
    ),
    'coordinator/not_sent': AlarmText(
        HIGH,
        'Robot command not sent: {step}',
        'The job is paused. The robot has not moved.',
        ('Read the robot panel and fix the cause.', _RESUME_OR_CANCEL),
    ),
    'coordinator/step_failed': AlarmText(
        HIGH,
        '{step} failed',
        'The job is paused.',
        ('Fix the cause.', _RESUME_OR_CANCEL),
    ),
    'coordinator/old_frame': AlarmText(
        HIGH,
        'Camera picture older than the pick',
        'The job is paused. No piece is placed on an old picture.',
        ('Compare the clocks of the computers.', _RESUME_OR_CANCEL),
    ),
    'coordinator/booking_refused': AlarmText(
        HIGH,
        'Stock ledger refused piece {piece}',
        'The job is paused. The piece is not in the ledger.',
        ('If you cancel the job, correct the tray count.', 'Press Resume to record it again, or Cancel job.'),
    ),
    'coordinator/rejects_in_a_row': AlarmText(
        MEDIUM,
        '{count} pieces in a row rejected',
        'The job is paused, so that a wrong tray is not emptied.',
        ('Look for wrong parts in tray {tray}.', _RESUME_OR_CANCEL),
    ),
    'coordinator/restarted': AlarmText(
        HIGH,
        'Coordinator was restarted',
        'The job is paused.',
        ('Look at the robot and the gripper.', _RESUME_OR_CANCEL),
    ),
    'coordinator/storage_failed': AlarmText(
        HIGH,
        'Job cannot be stored',
        'The job is paused.',
        ('Free disk space, or check the database.', _RESUME_OR_CANCEL),
    ),
    'coordinator/canceled_holding': AlarmText(
        MEDIUM,
        'Job canceled. The gripper holds a piece',
        'The next job is refused until the gripper is empty.',
        ('Remove the piece from the gripper by hand.',),
    ),
    'coordinator/canceled_empty': AlarmText(
        MEDIUM,
        'Job canceled. The gripper is empty',
        'The piece is recorded as rejected.',
        ('Find the piece and put it into the reject tray.',),
    ),
    'coordinator/canceled_no_sensor': AlarmText(
        MEDIUM,
        'Job canceled. The gripper has no sensor',
        'The piece is recorded as rejected.',
        ('Look at the gripper.', 'Remove a piece by hand.'),
    ),
    'coordinator/job_paused': AlarmText(
        HIGH,
        'Job paused by a fault',
        'The job is paused.',
        ('Read the reason at the job.', 'Fix the cause.', _RESUME_OR_CANCEL),
    ),
    'coordinator/reload_required': AlarmText(
        MEDIUM,
        'Trays of {part} are empty',
        'The job waits. {missing} more needed. After a saved reload the arm moves without another command.',
        _FILL_TRAY,
    ),
    'coordinator/part_rejected': AlarmText(
        MEDIUM,
        'Piece {piece} rejected: {reason}',
        'Tray {tray} has one {part} less. The job continues.',
        ('Look at the piece in the reject tray.', 'Press Correct if the result is wrong.', 'Press Seen.'),
    ),
    'inventory/stock_low': AlarmText(
        LOW,
        '{part} runs low',
        'At most {mark} left in all trays. A job waits when they are empty.',
        _FILL_TRAY,
    ),
    'alarms/flood': AlarmText(
        HIGH,
        '{count} alarms at once',
        'Every alarm is in the list. The first ones often name the cause.',
        ('Look at the oldest alarms first.', 'Fix the cause.', 'Acknowledge the rest together.'),
    ),
    'scale_bridge/port': AlarmText(
        HIGH,
        'Port {port} for indicators is not available',
        'The indicators of this port cannot connect. Their bags are not counted.',
        ('Stop the program that uses port {port}.', 'Or set another port: parameters port and peers.'),
        cause='{error}',
    ),
    'scale_bridge/journal': AlarmText(
        HIGH,
        'Readings cannot be stored',
        'Readings wait in memory and are not counted. A restart would lose them.',
        ('Free space on the disk, or check the database.', 'Wait. No bag needs to be weighed again.'),
        cause='{error}',
    ),
    'scale_bridge/held_back': AlarmText(
        HIGH,
        'Indicators are not read: the memory is full',
        'Readings wait for the disk. Bags weighed after the indicators are full are lost.',
        ('Stop weighing.', 'Free space on the disk, or check the database.', 'Do not restart the scale bridge.'),
    ),
    'scale_bridge/unreachable': AlarmText(
        MEDIUM,
        'Indicator {address} cannot be reached',
        'Its bags are not counted. The cell calls it again automatically.',
        (
            'Check its power and its network cable.',
            'Check its address in parameter peers.',
            'End other programs that use it: a device server serves one.',
        ),
        cause='{error}',
    ),
    'scale_bridge/duplicate': AlarmText(
        MEDIUM,
        'Scale {scale}: second indicator with this id',
        'Both are recorded and marked: {new} beside {old}. Two indicators with one id mix up their bags.',
        ('Acknowledge if the indicator was switched off and on.', 'Otherwise give each indicator its own id.'),
    ),
    'scale_bridge/identity': AlarmText(
        MEDIUM,
        '{peer} sends a wrong id: scale {scale}',
        'Its lines are recorded, but they are not counted as weights.',
        ('Correct the id in the indicator.', 'Or correct the address in parameter peers.'),
    ),
    'scale_bridge/not_taken': AlarmText(
        MEDIUM,
        'Scale {scale}: prints are not taken',
        'No bag was recorded for them.',
        ('Follow the message.', 'Make sure that the scale stands free and shows zero.', 'Print again.'),
        cause='{reason}',
    ),
    'scale_bridge/malformed': AlarmText(
        MEDIUM,
        '{name} sends lines that are no weights',
        'Its bags are not counted.',
        ("Check the indicator's print format.", 'Check parameter codec.'),
        cause='{reason}',
    ),
    'weigh_station/database': AlarmText(
        HIGH,
        'Bags cannot be stored',
        'Bags wait in the journal and are not judged. Nothing is lost.',
        ('Free space on the disk, or check the database.', 'Wait. No bag needs to be weighed again.'),
        cause='{error}',
    ),
    'weigh_station/no_job': AlarmText(
        MEDIUM,
        'Bag of {weight} not counted: no job',
        'It is recorded, but it belongs to no weigh job.',
        ('Start a weigh job at the station.', 'Weigh the bag again.'),
        cause='{reason}',
    ),
    'weigh_station/drift': AlarmText(
        LOW,
        'Scale {scale}: weights shifted by {shift}',
        'Weigh job {job}: bags are still judged. Weights may be wrong, or product is given away.',
        ('Check the scale with a test weight.', 'If the scale is right, adjust the filler.'),
    ),
    'weigh_station/delivery': AlarmText(
        MEDIUM,
        'Bags do not reach the web application',
        'Bags wait here and are sent in order later. Weighing continues.',
        ('Check the web application and the network.', 'Check the API key.'),
        cause='{error}',
    ),
    'recorder/disk': AlarmText(
        MEDIUM,
        'Nothing is recorded',
        'The time until recording begins again cannot be replayed.',
        ('Free space on the disk.', 'Wait: recording begins again automatically.'),
        cause='{error}',
    ),
    'weigh_station/dead_letters': AlarmText(
        MEDIUM,
        '{bags} rejected by the web application',
        'Rejected bags are recorded here only.',
        ('Press Weigh and read the reason beside each bag.', 'Fix the cause.', 'Press Resend.'),
    ),
}
"""Source and key -> text."""
REASONS = frozenset(
    f'coordinator/{key}'
    for key in [
        'step_not_confirmed',
        'step_interrupted',
        'robot_refused',
        'not_sent',
        'step_failed',
        'old_frame',
        'booking_refused',
        'rejects_in_a_row',
        'restarted',
        'storage_failed',
        'canceled_holding',
        'canceled_empty',
        'canceled_no_sensor',
    ]
)
"""Texts that no node raises as an alarm: `JobState.reason` gives them. The alarm of a paused job is job_paused."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    'coordinator/job_paused': ('robot/outcome_unknown', 'robot/not_connected'),
    'robot/outcome_unknown': ('robot/not_connected',),
}
"""Alarm -> alarms that cause it."""

ROBOT_STOPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    'PROTECTIVE_STOP': (
        'protective stop',
        ('Find out what the arm has hit.', 'Clear the robot area.', 'Recover the robot.'),
    ),
    'RECOVERY': ('recovery mode', ('Move the joints back into their limits on the pendant.',)),
    'SAFEGUARD_STOP': ('safeguard stop', ('Close and reset the safeguard.', 'Recover the robot.')),
    'SYSTEM_EMERGENCY_STOP': ('emergency stop of the system', _AFTER_EMERGENCY),
    'ROBOT_EMERGENCY_STOP': ('emergency stop', _AFTER_EMERGENCY),
    'VIOLATION': ('safety violation', _CALL_MAINTENANCE),
    'FAULT': ('safety fault', _CALL_MAINTENANCE),
    'OTHER': ('stop by the safety system', ('Look at the pendant and fix the cause.', 'Recover the robot.')),
}
"""Safety mode of the robot -> name of the stop, and steps. OTHER stands for modes that this release does not know."""
