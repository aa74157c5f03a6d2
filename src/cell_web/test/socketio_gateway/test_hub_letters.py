import pytest
from cell_web.socketio_gateway.hub_letters import LetterError, event_of_letter

LETTERS = {'EM1-2U1': 'F', 'LY2N-J': 'G'}


@pytest.mark.parametrize(
    ('letter', 'part_number', 'event'),
    [
        ('D', '', 'START_PROGRAM'),
        ('F', '', 'PART_EM1-2U1'),
        ('G', 'LY2N-J', 'PART_LY2N-J'),
        ('B', '', 'BENCHMARK'),
    ],
)
def test_a_letter_stands_for_the_event_of_the_robot_node(letter, part_number, event):
    assert event_of_letter(letter, part_number, LETTERS) == event


@pytest.mark.parametrize('letter', ['P', 'R', 'H', 'Z', 'f'])
def test_a_letter_that_no_part_has_is_refused_with_the_allowed_ones(letter):
    with pytest.raises(LetterError, match='Use one of B, D, F, G'):
        event_of_letter(letter, '', LETTERS)


def test_a_letter_of_another_part_is_refused():
    with pytest.raises(LetterError, match='its letter is F'):
        event_of_letter('G', 'EM1-2U1', LETTERS)
    with pytest.raises(LetterError, match='no such part'):
        event_of_letter('G', 'XYZ', LETTERS)
