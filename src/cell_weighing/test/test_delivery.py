import pytest
from cell_weighing.delivery.policy import LONGEST_DELAY_S, Answer, Parcel, Receipt, Verdict, delay, explain, judge, receipt

PARCEL = Parcel('0190-id', 'A', '3', '12.500', 'kg')


def test_the_form_fields_are_those_of_the_old_server():
    assert PARCEL.fields == {'weight': '12.500', 'unit': 'kg', 'scale': '3', 'station': 'A'}


@pytest.mark.parametrize(
    ('status', 'verdict'),
    [
        (200, Verdict.DONE),
        (201, Verdict.DONE),
        (204, Verdict.DONE),
        (409, Verdict.DONE),
        (0, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (302, Verdict.RETRY),
        (408, Verdict.RETRY),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (401, Verdict.PAUSE),
        (403, Verdict.PAUSE),
        (400, Verdict.DEAD),
        (404, Verdict.DEAD),
        (422, Verdict.DEAD),
    ],
)
def test_an_answer_means(status, verdict):
    assert judge(Answer(status)) is verdict


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        ('{"bag_id": 7, "bag_num": "3", "in_tolerance": true, "job_complete": 0}', Receipt(7, 3, True, False)),
        ('{"status": "ok", "data": {"bag_id": 7, "in_tolerance": "1"}}', Receipt(7, None, True, None)),
        ('{"bag_id": true, "bag_num": -1, "in_tolerance": "maybe"}', Receipt()),
        ('<html>', Receipt()),
        ('[]', Receipt()),
        ('', Receipt()),
        ('{"bag_id": 1e400}', Receipt()),
        ('{"bag_num": 99999999999999999999}', Receipt()),
    ],
)
def test_a_receipt_is_what_the_answer_says_and_no_more(body, expected):
    assert receipt(Answer(200, body)) == expected


def test_the_delay_doubles_up_to_a_cap_with_jitter_below_it():
    longest = [delay(n, Answer(500), lambda: 1.0) for n in range(1, 12)]
    assert longest[:4] == [1.0, 2.0, 4.0, 8.0] and longest[-1] == LONGEST_DELAY_S
    assert delay(3, Answer(500), lambda: 0.0) == 2.0
    assert delay(10**6, Answer(500), lambda: 1.0) == LONGEST_DELAY_S


@pytest.mark.parametrize(('header', 'seconds'), [('120', 120.0), ('999999', 3600.0), ('soon', 1.0), ('', 1.0), ('-5', 1.0)])
def test_retry_after_is_respected_within_reason(header, seconds):
    assert delay(1, Answer(429, retry_after=header), lambda: 1.0) == seconds


def test_people_are_told_what_to_look_at():
    assert 'cannot be reached: no connection' in explain(Answer(0, error='no connection'), 'http://x')
    assert 'does not accept the key' in explain(Answer(401), 'http://x')
    assert 'correct site_url' in explain(Answer(302), 'http://x')
    assert '(HTTP 422: unit)' in explain(Answer(422, '{"error":\n "unit"}'), 'http://x')
