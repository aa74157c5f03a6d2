"""Writes docs/alarms.md and the page's stop texts from cell_common.alarm_texts.

A house rule compares both files with the texts, so documentation, page and nodes say the same.
"""

from __future__ import annotations

import json
from pathlib import Path

from cell_common.alarm_text import AlarmText
from cell_common.alarm_texts import ALARM_TEXTS, CAUSES, REASONS, ROBOT_STOPS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'alarms.md'
STOP_TEXTS = ROOT / 'src' / 'cell_web' / 'hmi' / 'src' / 'core' / 'stopTexts.ts'
PRIORITIES = ('low', 'medium', 'high')


def page() -> str:
    """Return the text of docs/alarms.md; a test compares it with the file."""
    lines = [
        '# Alarms',
        '',
        'Written by `tools/alarm_docs.py`; do not edit. `{name}` stands for a value. One cause is one alarm: an alarm that',
        'follows from another one is folded under it.',
        '',
    ]
    for key, text in ALARM_TEXTS.items():
        if key not in REASONS:
            lines += section('##', key, f'`{key}`, priority {PRIORITIES[text.priority]}.', text)
    lines += [
        '## Reasons at a job',
        'These are no alarms: the panel of a paused or canceled job shows them as its reason. The alarm of a paused job is',
        '`coordinator/job_paused`. If another node reports the cause, its message and remedy stand above the last step.',
        '',
    ]
    for key, text in ALARM_TEXTS.items():
        if key in REASONS:
            lines += section('###', key, f'`{key}`.', text)
    lines += ['## Robot stops', 'The robot panel and the reason of the pause name the stop and its steps.', '']
    for name, (title, steps) in ROBOT_STOPS.items():
        mode = 'any other safety mode' if name == 'OTHER' else f'safety mode {name.replace("_", " ")}'
        lines += [f'- **{capitalized(title)}** ({mode}): {" ".join(steps)}']
    return '\n'.join(lines).rstrip() + '\n'


def section(level: str, key: str, label: str, text: AlarmText) -> list[str]:
    """Return the lines of one text.

    Args:
        level: Markdown's sign of the heading.
        key: Source and key, for the causes.
        label: Begin of the first line.
        text: Title, consequence and steps.
    """
    cause = 'The alarm names the cause. ' if text.cause else ''
    lines = [f'{level} {text.title}', f'{label} {cause}{text.consequence}', '']
    lines += [f'{number}. {step}' for number, step in enumerate(text.steps, 1)]
    if causes := CAUSES.get(key):
        lines += ['', 'Folded under: ' + ', '.join(f'`{cause}`' for cause in causes) + '.']
    return [*lines, '']


def stop_texts() -> str:
    """Return the text of the page's file; a test compares it with the file."""
    entries = [
        f'  {name}: {json.dumps(" ".join([f"{capitalized(title)}.", *steps]))},' for name, (title, steps) in ROBOT_STOPS.items()
    ]
    return '\n'.join(
        [
            '// Written by tools/alarm_docs.py from cell_common.alarm_texts; do not edit.',
            '/** Name of a safety mode of the robot, without SAFETY_ -> stop and steps. OTHER: any other mode. */',
            'export const STOP_TEXTS: Record<string, string> = {',
            *entries,
            '};',
            '',
        ]
    )


def capitalized(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[0].upper() + text[1:]


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
    STOP_TEXTS.write_text(stop_texts(), encoding='utf-8')
