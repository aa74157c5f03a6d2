import re

import pytest
from cell_common.alarm_text import (
    MAX_SENTENCE_WORDS,
    MAX_STEP_WORDS,
    MAX_TITLE_WORDS,
    AlarmText,
    sentence,
    short_cause,
    shorten,
)
from cell_common.alarm_texts import ALARM_TEXTS, CAUSES, REASONS, ROBOT_STOPS

VALUES = {
    'cause': 'Protective stop: ',
    'event': 'PART_EM1-2U1',
    'step': 'Place of piece 17',
    'piece': 17,
    'part': 'EM1-2U1',
    'tray': 3,
    'missing': 4,
    'mark': 3,
    'advice': 'Check that ur_robot_driver runs and the robot is on.',
    'remedy': 'Close and reset the safeguard, then press Continue',
    'count': 120,
    'reason': 'read EM1-2U4, ordered EM1-2U1',
    'port': 10001,
    'error': 'HTTP 500: the application does not answer',
    'address': '192.168.10.21:4001',
    'scale': '12',
    'new': '192.168.10.21:4001',
    'old': '192.168.10.22:4001',
    'peer': '192.168.10.21:4001',
    'name': 'Scale 12',
    'weight': '12.480 kg',
    'shift': '+0.12 kg',
    'job': 117,
    'bags': '12 bags',
}


@pytest.mark.parametrize('key', ALARM_TEXTS)
def test_titles_and_steps_are_short_and_complete(key):
    text = ALARM_TEXTS[key]
    title, consequence, action = text.render(**VALUES)
    assert 0 < len(title.split()) <= MAX_TITLE_WORDS and not title.endswith('…')
    assert consequence.endswith('.')
    assert max(len(part.split()) for part in consequence.split('. ')) <= MAX_SENTENCE_WORDS
    steps = action.split('\n')
    assert [int(re.match(r'\d+', step)[0]) for step in steps] == list(range(1, len(steps) + 1))
    assert max(len(step.split()) - 1 for step in steps) <= MAX_STEP_WORDS
    assert all(step.endswith('.') for step in steps)
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


@pytest.mark.parametrize('key', sorted(REASONS))
@pytest.mark.parametrize('detail', ['', 'camera: no frame for 12 s. Check the cable. Press Start camera.', 'word ' * 60])
def test_a_reason_is_a_title_one_fact_and_short_steps(key, detail):
    title, *lines = ALARM_TEXTS[key].reason(detail, **VALUES).split('\n')
    facts = [line for line in lines if not re.match(r'\d+ ', line)]
    assert len(title.split()) <= MAX_TITLE_WORDS and len(facts) == bool(detail)
    assert all(len(fact.split()) <= MAX_SENTENCE_WORDS for fact in facts)
    assert all(len(line.split()) - 1 <= MAX_STEP_WORDS for line in lines if line not in facts)


def test_the_remedy_of_a_node_replaces_the_general_one():
    text = AlarmText(0, 'Reading failed', 'The job is paused.', ('Fix the cause.', 'Press Resume.'))
    assert text.reason('no frame. Check the cable') == 'Reading failed.\nNo frame.\n1 Check the cable.\n2 Press Resume.'
    assert text.reason('no frame') == 'Reading failed.\nNo frame.\n1 Fix the cause.\n2 Press Resume.'
    assert text.reason('no frame. Press Resume.') == 'Reading failed.\nNo frame.\n1 Press Resume.'


def test_the_cause_of_an_alarm_stands_before_its_consequence():
    text = AlarmText(0, 'Bags wait', 'Weighing continues.', ('Wait.',), cause='{error}')
    assert text.render(error='HTTP 500')[1] == 'HTTP 500. Weighing continues.'
    assert text.render(error='')[1] == 'Weighing continues.'
    with pytest.raises(KeyError):
        text.render()


@pytest.mark.parametrize('stop', ROBOT_STOPS.values(), ids=list(ROBOT_STOPS))
def test_a_robot_stop_has_a_short_name_and_short_steps(stop):
    name, steps = stop
    assert len(name.split()) <= MAX_TITLE_WORDS and steps
    assert all(len(step.split()) <= MAX_STEP_WORDS and step.endswith('.') for step in steps)


def test_a_text_becomes_a_sentence():
    assert (sentence('no frame'), sentence('No frame.'), sentence('')) == ('No frame.', 'No frame.', '')


def test_a_long_title_is_cut():
    assert shorten('one two three four', 3) == 'one two three…'
    assert shorten('one two', 3) == 'one two'
