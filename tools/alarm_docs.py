"""Writes docs/alarms.md from cell_common.alarm_texts.

A house rule compares page and texts, so the page is what the operator reads on the screen.
"""

from __future__ import annotations

from pathlib import Path

from cell_common.alarm_texts import ALARM_TEXTS, CAUSES

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
        lines += [f'## {text.title}', f'`{key}`, priority {PRIORITIES[text.priority]}. {text.consequence}', '']
        lines += [f'{number}. {step}' for number, step in enumerate(text.steps, 1)]
        if causes := CAUSES.get(key):
            lines += ['', 'Folded under: ' + ', '.join(f'`{cause}`' for cause in causes) + '.']
        lines.append('')
    return '\n'.join(lines).rstrip() + '\n'


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
