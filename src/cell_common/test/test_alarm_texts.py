import re

import pytest
from cell_common.alarm_texts import ALARM_TEXTS, CAUSES, MAX_STEP_WORDS, MAX_TITLE_WORDS, short_cause, shorten

VALUES = {
    'cause': 'Protective stop: ',
    'event': 'PART_EM1-2U1',
    'trigger': 'PLACE',
    'piece': 17,
    'part': 'EM1-2U1',
    'tray': 3,
    'missing': 4,
    'mark': 3,
    'advice': 'Check that ur_robot_driver runs and the robot is on.',
    'remedy': 'Close and reset the safeguard, then press Continue',
    'count': 120,
    'reason': 'read EM1-2U4, ordered EM1-2U1',
}


@pytest.mark.parametrize('key', ALARM_TEXTS)
def test_titles_and_steps_are_short_and_complete(key):
    text = ALARM_TEXTS[key]
    title, consequence, action = text.render(**VALUES)
    assert 0 < len(title.split()) <= MAX_TITLE_WORDS and not title.endswith('…')
    assert consequence
    steps = action.split('\n')
    assert [int(re.match(r'\d+', step)[0]) for step in steps] == list(range(1, len(steps) + 1))
    assert max(len(step.split()) - 1 for step in steps) <= MAX_STEP_WORDS
    assert '{' not in title + consequence + action


@pytest.mark.parametrize(('effect', 'causes'), CAUSES.items())
def test_causes_name_known_alarms(effect, causes):
    assert {effect, *causes} <= set(ALARM_TEXTS)


@pytest.mark.parametrize(
    ('message', 'cause'),
    [
        ('It is unknown whether the robot did PLACE: protective stop. Look what', 'Protective stop: '),
        ('the coordinator was restarted while it waited for the robot', ''),
        ('lost: the connection to the robot was lost (timed out)', ''),
        ('', ''),
    ],
)
def test_the_cause_is_taken_from_the_first_sentence(message, cause):
    assert short_cause(message) == cause


def test_a_long_title_is_cut():
    assert shorten('one two three four', 3) == 'one two three…'
    assert shorten('one two', 3) == 'one two'
