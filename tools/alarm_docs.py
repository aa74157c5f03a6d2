"""Writes docs/alarms.md from cell_common.alarm_texts.

A house rule compares page and texts, so the page is what the operator reads on the screen.
"""

from __future__ import annotations

from pathlib import Path

from cell_common.alarm_texts import ALARM_TEXTS, CAUSES, PAUSE_REASONS, AlarmText

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'alarms.md'
PRIORITIES = ('low', 'medium', 'high', 'critical')


def page() -> str:
    """Return the text of docs/alarms.md; a test compares it with the file."""
    lines = [
        '# Alarms of the pick side',
        '',
        'Written by `tools/alarm_docs.py`; do not edit. `{name}` stands for a value. One cause is one alarm: an alarm that',
        'follows from another one is folded under it.',
        '',
    ]
    for key, text in ALARM_TEXTS.items():
        if key not in PAUSE_REASONS:
            lines += section('##', key, f'`{key}`, priority {PRIORITIES[text.priority]}.', text)
    lines += [
        '## Reasons of a pause',
        'These are no alarms: the panel of the paused job shows them as its reason. The alarm is `coordinator/job_paused`. '
        'A step that fails gives a reason of its own, with what to do.',
        '',
    ]
    for key, text in ALARM_TEXTS.items():
        if key in PAUSE_REASONS:
            lines += section('###', key, f'`{key}`.', text)
    return '\n'.join(lines).rstrip() + '\n'


def section(level: str, key: str, label: str, text: AlarmText) -> list[str]:
    """Return the lines of one text.

    Args:
        level: Markdown's sign of the heading.
        key: Source and key, for the causes.
        label: Begin of the first line.
        text: Title, consequence and steps.
    """
    lines = [f'{level} {text.title}', f'{label} {text.consequence}', '']
    lines += [f'{number}. {step}' for number, step in enumerate(text.steps, 1)]
    if causes := CAUSES.get(key):
        lines += ['', 'Folded under: ' + ', '.join(f'`{cause}`' for cause in causes) + '.']
    return [*lines, '']


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
