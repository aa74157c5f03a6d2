"""Texts of the pick side's alarms and pauses: cause, consequence, action and priority.

Pure: no ROS, sockets, files or clock.

Nodes raise the alarms, a paused job gives one of `PAUSE_REASONS` as its reason, and docs/alarms.md lists both. A title has
at most 8 words; an action is a list of numbered steps of at most 12 words each. `test_alarm_texts.py` checks both. `CAUSES`
says which alarm follows from which, so that one cause is shown as one alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ['ALARM_TEXTS', 'CAUSES', 'MAX_STEP_WORDS', 'MAX_TITLE_WORDS', 'PAUSE_REASONS', 'AlarmText', 'short_cause', 'shorten']

# A title must be read at a glance, a step while the hands work.
MAX_TITLE_WORDS, MAX_STEP_WORDS = 8, 12
LOW, MEDIUM, HIGH, CRITICAL = range(4)
_CAUSE_WORDS = 3


@dataclass(frozen=True)
class AlarmText:
    """Text of one alarm; `{name}` stands for a value.

    Each title, consequence and step is a `str.format` template. All values of the text must be given, or rendering fails.
    """

    priority: int
    """Number of cell_interfaces/msg/Alarm."""
    title: str
    """What happened."""
    consequence: str
    """What it means for the cell."""
    steps: tuple[str, ...]
    """What the operator should do, in order."""

    def render(self, **values: object) -> tuple[str, str, str]:
        """Return title, consequence and the numbered steps, one a line.

        The title is cut to `MAX_TITLE_WORDS` after its values are filled in: a long robot message must not push the rest of
        the alarm list off the page.

        Args:
            values: A value for each `{name}` of the text.

        Raises:
            KeyError: A `{name}` of the text has no value.
        """
        title = shorten(self.title.format(**values), MAX_TITLE_WORDS)
        return title, self.consequence.format(**values).strip(), numbered(self.steps, values)

    def reason(self, detail: str = '', **values: object) -> str:
        """Return title, detail and numbered steps, one a line, for `JobState.reason`.

        Args:
            detail: Cause that the title does not name, cut to `MAX_STEP_WORDS`; "" = none.
            values: A value for each `{name}` of the text.

        Raises:
            KeyError: A `{name}` of the text has no value.
        """
        title, _, action = self.render(**values)
        cause = f'{shorten(detail, MAX_STEP_WORDS)}\n' if detail else ''
        return f'{title}.\n{cause}{action}'


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
        ('Look into the tray.', 'Correct its count on the stock page.'),
    ),
    'coordinator/step_not_confirmed': AlarmText(
        HIGH,
        '{cause}{trigger} of piece {piece} not confirmed',
        'The job is paused.',
        ('Clear the robot area.', 'Recover the robot if it has stopped.', 'Answer below where the piece is.', 'Press Resume.'),
    ),
    'coordinator/step_interrupted': AlarmText(
        HIGH,
        '{trigger} of piece {piece} interrupted',
        'The job is paused. The robot knows how far it got.',
        ('Clear the robot area.', '{remedy}.', 'Or answer below where the piece is.'),
    ),
    'coordinator/job_paused': AlarmText(
        HIGH,
        'Job paused by a fault',
        'The job is paused.',
        ('Read the reason at the job.', 'Fix the cause.', 'Press Resume or Cancel job.'),
    ),
    'coordinator/reload_required': AlarmText(
        MEDIUM,
        'Trays of {part} are empty',
        'The job waits. {missing} more needed. After a saved reload the arm moves without another command.',
        ('Fill a tray.', 'Press Reload at the part and save the count.'),
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
        ('Fill a tray.', 'Press Reload at the part and save the count.'),
    ),
    'alarms/flood': AlarmText(
        HIGH,
        '{count} alarms at once',
        'Every alarm is in the list. The first ones often name the cause.',
        ('Look at the oldest alarms first.', 'Fix the cause.', 'Acknowledge the rest together.'),
    ),
}
"""Source and key -> text."""
PAUSE_REASONS = frozenset({'coordinator/step_not_confirmed', 'coordinator/step_interrupted'})
"""Texts that no node raises as an alarm: `JobState.reason` gives them while the job is paused. The alarm is then job_paused."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    'coordinator/job_paused': ('robot/outcome_unknown', 'robot/not_connected'),
    'robot/outcome_unknown': ('robot/not_connected',),
}
"""Alarm -> alarms that cause it."""


def numbered(steps: tuple[str, ...], values: Mapping[str, object]) -> str:
    """Return steps as lines "1 ...", "2 ..."; `values` fills their `{name}` places."""
    return '\n'.join(f'{number} {step.format(**values)}' for number, step in enumerate(steps, 1))


def shorten(text: str, words: int) -> str:
    """Return the first words of a text, with an ellipsis where words were dropped.

    Args:
        text: Any text; blanks at its ends are removed.
        words: Maximum number of words.
    """
    parts = text.split()
    return text.strip() if len(parts) <= words else ' '.join(parts[:words]).rstrip('.,:;') + '…'


def short_cause(message: str) -> str:
    """Return a cause of at most three words from a robot message, e.g. "Protective stop: "; "" if it has none.

    The robot node writes "subject: cause. remedy". The cause is the part after the last colon of the first sentence. A longer
    one would not fit the title, so the caller shows it as a detail instead.

    Args:
        message: Message of the robot node for the operator.
    """
    sentence = message.split('. ', maxsplit=1)[0].rstrip('.')
    cause = sentence.rsplit(': ', 1)[-1].strip()
    if cause == sentence or len(cause.split()) > _CAUSE_WORDS:
        return ''
    return f'{cause[:1].upper()}{cause[1:]}: '
