import pytest
from cell_web.socketio_gateway.events import TriggerRequest
from cell_web.socketio_gateway.hub_letters import HubTrigger, LetterError, trigger_of
from hypothesis import given
from hypothesis import strategies as st

LETTERS = {'EM1-2U1': 'F', 'LY2N-J': 'G'}


def trigger(letter: str, event: str = '', part_number: str = '', letters: dict[str, str] = LETTERS) -> HubTrigger:
    return trigger_of(TriggerRequest(letter, event, part_number), letters)


@pytest.mark.parametrize(
    ('letter', 'part_number', 'event', 'ack'),
    [
        ('D', '', 'START_PROGRAM', 'program_started'),
        ('F', '', 'PART_EM1-2U1', 'PART_EM1-2U1'),
        ('G', 'LY2N-J', 'PART_LY2N-J', 'PART_LY2N-J'),
        ('B', '', 'BENCHMARK', 'BENCHMARK'),
    ],
)
def test_without_an_event_the_acknowledgement_names_what_the_letter_is(letter, part_number, event, ack):
    assert trigger(letter, '', part_number) == HubTrigger(event, ack)


@pytest.mark.parametrize(
    ('letter', 'event', 'robot_event'),
    [
        ('F', 'PART_EM1-2U1', 'PART_EM1-2U1'),
        ('F', 'PART_', 'PART_EM1-2U1'),
        ('F', 'name of this site', 'PART_EM1-2U1'),
        ('D', 'program_started', 'START_PROGRAM'),
        ('D', 'START_PROGRAM', 'START_PROGRAM'),
        ('B', 'BENCHMARK', 'BENCHMARK'),
    ],
)
def test_an_event_that_fits_its_letter_is_acknowledged(letter, event, robot_event):
    assert trigger(letter, event) == HubTrigger(robot_event, event)


@pytest.mark.parametrize('part_number', ['EM1-2U1', '—', 'no such part'])
def test_the_program_starts_whatever_the_job_is(part_number):
    assert trigger('D', 'program_started', part_number) == HubTrigger('START_PROGRAM', 'program_started')


@pytest.mark.parametrize('letter', ['P', 'R', 'H', 'Z', 'f'])
def test_a_letter_that_no_part_has_is_refused_with_the_allowed_ones(letter):
    with pytest.raises(LetterError, match='Use one of B, D, F, G'):
        trigger(letter)


@pytest.mark.parametrize(
    ('letter', 'event', 'part_number', 'message'),
    [
        ('G', '', 'EM1-2U1', 'its letter is F'),
        ('G', '', 'XYZ', 'no such part'),
        ('G', 'PART_EM1-2U1', '', 'its letter is F'),
        ('G', 'PART_EM1-2U1', 'LY2N-J', 'its letter is F'),
        ('G', 'PART_LY2N-J', 'EM1-2U1', 'its letter is F'),
        ('F', 'PART_XYZ', '', 'no such part'),
        ('D', 'PART_EM1-2U1', '', 'its letter is F'),
        ('B', 'PART_EM1-2U1', '', 'its letter is F'),
        ('D', 'PART_', '', 'letter D is START_PROGRAM, not PART_'),
        ('F', 'program_started', '', 'letter F is PART_EM1-2U1, not program_started'),
        ('F', 'START_PROGRAM', 'EM1-2U1', 'not START_PROGRAM'),
        ('D', 'BENCHMARK', '', 'letter D is START_PROGRAM, not BENCHMARK'),
        ('B', 'START_PROGRAM', '', 'not START_PROGRAM'),
        ('D', 'HOME', '', 'not HOME'),
    ],
)
def test_a_letter_of_another_part_or_event_is_refused(letter, event, part_number, message):
    with pytest.raises(LetterError, match=message):
        trigger(letter, event, part_number)


@given(
    st.sampled_from('BDFGPZ'),
    st.sampled_from(['', 'PART_', 'PART_EM1-2U1', 'PART_LY2N-J', 'PART_X', 'program_started', 'START_PROGRAM', 'BENCHMARK']),
    st.sampled_from(['', 'EM1-2U1', 'LY2N-J', 'X']),
)
def test_no_acknowledgement_names_another_part_or_event_than_the_robot_was_given(letter, event, part_number):
    try:
        result = trigger(letter, event, part_number)
    except LetterError:
        return
    confirms = {'program_started': 'START_PROGRAM'}.get(result.ack, result.ack)
    assert confirms == result.event or (confirms == 'PART_' and result.event.startswith('PART_'))
