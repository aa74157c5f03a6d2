import pytest
from cell_weighing.delivery.policy import (
    LONGEST_DELAY_S,
    DeliveryItem,
    DeliveryReceipt,
    DeliveryVerdict,
    HttpResult,
    classify,
    explain,
    parse_receipt,
    retry_delay,
)

ITEM = DeliveryItem('0190-id', 'A', '3', '12.500', 'kg')


def test_the_form_fields_are_those_of_the_old_server():
    assert ITEM.fields == {'weight': '12.500', 'unit': 'kg', 'scale': '3', 'station': 'A'}


@pytest.mark.parametrize(
    ('status', 'verdict'),
    [
        (200, DeliveryVerdict.RETRY),
        (204, DeliveryVerdict.RETRY),
        (409, DeliveryVerdict.DEAD_LETTER),
        (0, DeliveryVerdict.RETRY),
        (500, DeliveryVerdict.RETRY),
        (503, DeliveryVerdict.RETRY),
        (302, DeliveryVerdict.RETRY),
        (408, DeliveryVerdict.RETRY),
        (425, DeliveryVerdict.RETRY),
        (429, DeliveryVerdict.RETRY),
        (402, DeliveryVerdict.RETRY),
        (407, DeliveryVerdict.RETRY),
        (423, DeliveryVerdict.RETRY),
        (431, DeliveryVerdict.RETRY),
        (401, DeliveryVerdict.PAUSE),
        (403, DeliveryVerdict.PAUSE),
        (400, DeliveryVerdict.DEAD_LETTER),
        (404, DeliveryVerdict.NOT_FOUND),
        (405, DeliveryVerdict.NOT_FOUND),
        (422, DeliveryVerdict.DEAD_LETTER),
    ],
)
def test_a_status_without_a_body_means(status, verdict):
    assert classify(HttpResult(status)) is verdict


@pytest.mark.parametrize(
    'body',
    [
        '{"success": true}',
        '{"success": 1, "bag_id": null}',
        '\ufeff{"bag_id": 7}',
        '{"bag_id": "B-0007"}',
        '{"status": "ok", "data": {"bag_id": 7}}',
        '{"status": 200, "data": {"success": "true"}}',
    ],
)
@pytest.mark.parametrize('status', [200, 201, 202, 409])
def test_delivered_is_what_says_so(status, body):
    assert classify(HttpResult(status, body)) is DeliveryVerdict.DONE


@pytest.mark.parametrize(
    ('body', 'verdict'),
    [
        ('{"success": false, "error": "no active job"}', DeliveryVerdict.DEAD_LETTER),
        ('{"success": false, "bag_id": 7}', DeliveryVerdict.DEAD_LETTER),
        ('{"success": true, "data": {"success": false}}', DeliveryVerdict.DEAD_LETTER),
        ('{"success": null, "bag_id": 7}', DeliveryVerdict.DEAD_LETTER),
        ('{"status": "error", "message": "unknown scale", "bag_id": 7}', DeliveryVerdict.DEAD_LETTER),
        ('{"bag_id": 0}', DeliveryVerdict.DEAD_LETTER),
        ('{"bag_id": "null"}', DeliveryVerdict.DEAD_LETTER),
        ('{"success": "false"}', DeliveryVerdict.DEAD_LETTER),
        ('{}', DeliveryVerdict.DEAD_LETTER),
        ('{"code": 422, "bag_id": 7}', DeliveryVerdict.DEAD_LETTER),
        ('{"success": false, "message": "Server busy, try again later"}', DeliveryVerdict.RETRY),
        ('{"success": false, "error": {"code": 503}}', DeliveryVerdict.RETRY),
        ('{"error": "SQLSTATE[HY000] General error: 1205 Lock wait timeout exceeded"}', DeliveryVerdict.RETRY),
        ('{"status": 500, "success": true}', DeliveryVerdict.RETRY),
        ('{"message": "Unauthenticated."}', DeliveryVerdict.PAUSE),
        ('{"success": false, "error": "invalid API key"}', DeliveryVerdict.PAUSE),
        ('{"status": 401}', DeliveryVerdict.PAUSE),
        ('<html><title>Login</title><form><input type=password></form></html>', DeliveryVerdict.RETRY),
        ('{"success": tr', DeliveryVerdict.RETRY),
        ('', DeliveryVerdict.RETRY),
        ('OK', DeliveryVerdict.RETRY),
        ('true', DeliveryVerdict.RETRY),
        ('[{"bag_id": 7}]', DeliveryVerdict.RETRY),
        ('<?xml version="1.0"?><success>true</success>', DeliveryVerdict.RETRY),
        ('Warning: mysqli_connect() in /var/www/db.php\n{"success": true}', DeliveryVerdict.RETRY),
        ('{"success": true, "bag_id": 7}<br />\n<b>Fatal error</b>: commit', DeliveryVerdict.RETRY),
        ('<pre>{"success": true, "bag_id": 7}</pre>', DeliveryVerdict.RETRY),
        ('<b>Notice</b>: x\n{"success": false, "error": "no active job"}', DeliveryVerdict.DEAD_LETTER),
    ],
)
def test_a_wrong_yes_is_retried_or_a_dead_letter_by_what_it_says(body, verdict):
    result = HttpResult(200, body)
    assert classify(result) is verdict
    assert len(explain(result, 'http://x')) > 20


@pytest.mark.parametrize(
    'body',
    [
        '<br />\n<b>Deprecated</b>:  dynamic property in /var/www/x.php on line 3<br />\n{"success": true, "bag_id": 7}',
        '\nNotice: Undefined index: x in /var/www/x.php on line 3\n{"success":true,"data":{"bag_id":7}}\n',
        '{"success": true, "bag_id": 7}<br />\n<b>Warning</b>: session_write_close()',
    ],
)
def test_notes_of_php_beside_an_answer_that_names_its_bag_are_passed_over(body):
    result = HttpResult(200, body)
    assert classify(result) is DeliveryVerdict.DONE and parse_receipt(result).bag_id == 7


@pytest.mark.parametrize(
    ('status', 'body', 'verdict'),
    [
        (400, '<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>', DeliveryVerdict.NOT_FOUND),
        (400, '{"success": false, "error": "unknown unit"}', DeliveryVerdict.DEAD_LETTER),
        (419, '<!DOCTYPE html><title>Page Expired</title>', DeliveryVerdict.RETRY),
        (403, '<!DOCTYPE html><title>Attention Required! | Firewall</title>', DeliveryVerdict.RETRY),
        (403, '<html><title>403 Forbidden</title></html>', DeliveryVerdict.PAUSE),
        (403, '{"message": "no such scope"}', DeliveryVerdict.PAUSE),
    ],
)
def test_a_page_of_a_server_in_between_makes_no_dead_letter_of_each_bag(status, body, verdict):
    assert classify(HttpResult(status, body)) is verdict


@pytest.mark.parametrize('status', [400, 422, 500, 503])
def test_a_yes_in_the_body_does_not_outweigh_the_status(status):
    assert classify(HttpResult(status, '{"success": true}')) is not DeliveryVerdict.DONE


def test_a_404_in_which_the_application_says_no_is_about_the_bag():
    assert classify(HttpResult(404, '{"success": false, "error": "job not found"}')) is DeliveryVerdict.DEAD_LETTER


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        ('{"bag_id": 7, "bag_num": "3", "in_tolerance": true, "job_complete": 0}', DeliveryReceipt(7, 3, True, False)),
        ('{"status": "ok", "data": {"bag_id": 7, "in_tolerance": "1"}}', DeliveryReceipt(7, None, True, None)),
        ('{"bag_id": true, "bag_num": -1, "in_tolerance": "maybe"}', DeliveryReceipt()),
        ('<html>', DeliveryReceipt()),
        ('[]', DeliveryReceipt()),
        ('', DeliveryReceipt()),
        ('{"bag_id": 1e400}', DeliveryReceipt()),
        ('{"bag_num": 99999999999999999999}', DeliveryReceipt()),
    ],
)
def test_a_receipt_is_what_the_answer_says_and_no_more(body, expected):
    assert parse_receipt(HttpResult(200, body)) == expected


def test_a_number_that_no_table_can_hold_is_left_out_of_the_receipt():
    body = '{"success": true, "bag_id": "%s", "bag_num": 3}' % ('9' * 5000)
    assert parse_receipt(HttpResult(200, body)) == DeliveryReceipt(None, 3)


def test_the_delay_doubles_up_to_a_cap_with_jitter_below_it():
    longest = [retry_delay(n, HttpResult(500), lambda: 1.0) for n in range(1, 12)]
    assert longest[:4] == [1.0, 2.0, 4.0, 8.0] and longest[-1] == LONGEST_DELAY_S
    assert retry_delay(3, HttpResult(500), lambda: 0.0) == 2.0
    assert retry_delay(10**6, HttpResult(500), lambda: 1.0) == LONGEST_DELAY_S


@pytest.mark.parametrize(('header', 'seconds'), [('120', 120.0), ('999999', 3600.0), ('soon', 1.0), ('', 1.0), ('-5', 1.0)])
def test_retry_after_is_respected_within_reason(header, seconds):
    assert retry_delay(1, HttpResult(429, retry_after=header), lambda: 1.0) == seconds


def test_the_explanation_names_what_to_check():
    assert 'cannot be reached: no connection' in explain(HttpResult(0, error='no connection'), 'http://x')
    assert 'does not accept the key' in explain(HttpResult(401), 'http://x')
    assert 'correct site_url' in explain(HttpResult(302), 'http://x')
    assert 'CELL_WEIGHING_PROXY' in explain(HttpResult(407), 'http://x')
    assert 'no active job' in explain(HttpResult(200, '{"success": false, "error": "no active job"}'), 'http://x')
    assert 'does not say that the bag is recorded' in explain(HttpResult(200, '{}'), 'http://x')
    assert '(HTTP 422: unit)' in explain(HttpResult(422, '{"error":\n "unit"}'), 'http://x')
