"""Text of an alarm or of a pause: templates, and how they become the lines that an operator reads.

Pure: no ROS, sockets, files or clock.

The texts are in `alarm_texts`. A title has at most 8 words, a step at most 12, any other sentence at most 20.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ['MAX_SENTENCE_WORDS', 'MAX_STEP_WORDS', 'MAX_TITLE_WORDS', 'AlarmText', 'sentence', 'short_cause', 'shorten']

# A title must be read at a glance, a step while the hands work.
MAX_TITLE_WORDS, MAX_STEP_WORDS, MAX_SENTENCE_WORDS = 8, 12, 20
_CAUSE_WORDS = 3


@dataclass(frozen=True)
class AlarmText:
    """Text of one alarm; `{name}` stands for a value.

    Each title, cause, consequence and step is a `str.format` template. All values of the text must be given, or rendering
    fails.
    """

    priority: int
    """Number of cell_interfaces/msg/Alarm."""
    title: str
    """What happened."""
    consequence: str
    """What it means for the cell."""
    steps: tuple[str, ...]
    """What the operator should do, in order."""
    cause: str = ''
    """Why it happened, usually an error text of a device or program; "" = the title says it."""

    def render(self, **values: object) -> tuple[str, str, str]:
        """Return title, cause with consequence, and the numbered steps, one a line.

        The title is cut to `MAX_TITLE_WORDS` after its values are filled in: a long robot message must not push the rest of
        the alarm list off the page.

        Args:
            values: A value for each `{name}` of the text.

        Raises:
            KeyError: A `{name}` of the text has no value.
        """
        title = shorten(self.title.format(**values), MAX_TITLE_WORDS)
        cause = sentence(self.cause.format(**values))
        return (
            title,
            f'{cause} {self.consequence.format(**values)}'.strip(),
            numbered(step.format(**values) for step in self.steps),
        )

    def reason(self, detail: str = '', **values: object) -> str:
        """Return title, detail and numbered steps, one a line, for `JobState.reason`.

        Args:
            detail: Message of a node: the cause that the title does not name. Its first sentence becomes a line, cut to
                `MAX_SENTENCE_WORDS`. The others are its remedy: they replace all steps but the last one. "" = none.
            values: A value for each `{name}` of the text.

        Raises:
            KeyError: A `{name}` of the text has no value.
        """
        title, _, _ = self.render(**values)
        fact, *remedy = _sentences(detail)
        own = [step.format(**values) for step in (self.steps[-1:] if remedy else self.steps)]
        steps = dict.fromkeys([*(shorten(step, MAX_STEP_WORDS) for step in remedy), *own])
        return '\n'.join(filter(None, (f'{title}.', sentence(shorten(fact, MAX_SENTENCE_WORDS)), numbered(steps))))


def numbered(steps: Iterable[str]) -> str:
    """Return steps as lines "1 ...", "2 ..."."""
    return '\n'.join(f'{number} {step}' for number, step in enumerate(steps, 1))


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop; "" stays ""."""
    text = text.strip()
    if not text:
        return ''
    return f'{text[0].upper()}{text[1:]}' + ('' if text[-1] in '.!?…' else '.')


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
    first = message.split('. ', maxsplit=1)[0].rstrip('.')
    cause = first.rsplit(': ', 1)[-1].strip()
    if cause == first or len(cause.split()) > _CAUSE_WORDS:
        return ''
    return f'{cause[:1].upper()}{cause[1:]}: '


def _sentences(text: str) -> list[str]:
    """Return the sentences of a message, each with its full stop; [""] for an empty message."""
    parts = [part for part in text.strip().split('. ') if part]
    return [sentence(part) for part in parts] or ['']
