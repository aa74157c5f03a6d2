import random

import pytest
from cell_common.testing import FULL, wait_until
from cell_weighing.delivery.outbox import Outbox, delivery_row
from cell_weighing.delivery.policy import DeliveryItemState, HttpResult
from cell_weighing.delivery.sender import IDLE_S, DeliveryContext, DeliverySender, StationQueue
from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.storage.tables import DeliveryRow
from sqlalchemy import select
from sqlalchemy.orm import Session


class WebApplication:
    """Takes bags as the real one does: one record a key, however often it is posted."""

    def __init__(self):
        self.bags, self.unanswered, self.posts, self.now = {}, set(), 0, 0.0
        self.mood = lambda: 200

    def post(self, item, key):
        self.posts += 1
        status = self.mood()
        if isinstance(status, HttpResult):
            return status
        if status == 'slow':
            self.now += 10.0
            self.unanswered.add(item.reading_id)
            self.bags.setdefault(item.reading_id, item)
            return HttpResult(0, error='no answer in time')
        if status == 200:
            self.bags.setdefault(item.reading_id, item)
            return HttpResult(200, f'{{"bag_id": {len(self.bags)}, "in_tolerance": true}}')
        return HttpResult(status, 'no') if status else HttpResult(0, error='no connection')


@pytest.fixture
def site():
    return WebApplication()


@pytest.fixture
def context(engine, site):
    return DeliveryContext(
        Outbox(engine), 'http://app/scan_bag', site.post, lambda: 'key', lambda: int(site.now * 1e9), lambda: 1.0
    )


@pytest.fixture
def put(engine):
    numbers = iter(range(10**6))

    def put(count=1, station='A'):
        with Session(engine) as session, session.begin():
            for number in (next(numbers) for _ in range(count)):
                bag = Bag(f'{number:06}', '1', station, '1.1', 'kg', number, ToleranceResult.IN_TOLERANCE)
                session.add(delivery_row(bag, 0))

    return put


def rows(engine):
    with Session(engine) as session:
        return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))


def test_a_bag_is_posted_and_the_ledger_stores_times_and_response(engine, context, site, put):
    put()
    site.now = 5.0
    assert StationQueue('A', context).step().seconds == 0
    (row,) = rows(engine)
    assert (row.state, row.attempts, row.http_status, row.bag_id, row.in_tolerance) == (
        DeliveryItemState.DELIVERED,
        1,
        200,
        1,
        True,
    )
    assert row.posted_ns == row.acknowledged_ns == 5 * 10**9
    assert StationQueue('A', context).step().seconds == IDLE_S


def test_the_outbox_keeps_the_whole_response_and_the_operator_sees_a_sentence(engine, context, site, put):
    put()
    page = '<html><body><h1>Unknown\x00 station</h1><p>' + 'x' * 9000 + '</p></body></html>'
    context.post = lambda *_: HttpResult(422, page)
    StationQueue('A', context).step()
    (row,) = rows(engine)
    assert row.response == page[:4000].replace('\0', '\ufffd')
    assert row.error == (
        'The web application rejected this bag (HTTP 422: Unknown station): '
        'correct the cause in the web application, then send it again.'
    )
    context.outbox.requeue()
    context.post = site.post
    StationQueue('A', context).step()
    assert rows(engine)[0].response == '{"bag_id": 1, "in_tolerance": true}'


def test_a_server_error_is_retried_before_any_later_bag(engine, context, site, put):
    put(2)
    queue = StationQueue('A', context)
    site.mood = lambda: 500
    assert [queue.step().seconds for _ in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert 'HTTP 500' in context.errors['A'] and site.bags == {}
    site.mood = lambda: 200
    queue.step()
    queue.step()
    assert list(site.bags) == ['000000', '000001'] and context.errors == {}
    assert [row.attempts for row in rows(engine)] == [5, 1]


def test_a_rejected_bag_is_a_dead_letter_and_an_operator_may_send_it_again(engine, context, site, put):
    put(2)
    queue = StationQueue('A', context)
    site.mood = iter([422, 200]).__next__
    queue.step()
    queue.step()
    assert [row.state for row in rows(engine)] == [
        DeliveryItemState.DEAD_LETTER,
        DeliveryItemState.DELIVERED,
    ] and 'HTTP 422' in rows(engine)[0].error
    site.mood = lambda: 200
    assert context.outbox.requeue() == 1
    queue.step()
    assert list(site.bags) == ['000001', '000000'] and context.outbox.counts().dead == 0


@pytest.mark.parametrize('status', [401, 403])
def test_a_refused_key_pauses_everything_until_it_changes(engine, context, site, put, status):
    put()
    put(station='B')
    site.mood = lambda: status
    StationQueue('A', context).step()
    assert StationQueue('A', context).step().seconds == IDLE_S and StationQueue('B', context).step().seconds == IDLE_S
    assert site.posts == 1 and 'does not accept the key' in context.errors['B']
    site.mood, context.key = (lambda: 200), (lambda: 'new key')
    StationQueue('A', context).step()
    StationQueue('B', context).step()
    assert len(site.bags) == 2


def test_a_refused_key_is_tried_again_when_a_person_says_so(context, site, put):
    put()
    site.mood = lambda: 401
    StationQueue('A', context).step()
    context.retry_key()
    site.mood = lambda: 200
    StationQueue('A', context).step()
    assert len(site.bags) == 1


def test_404_for_every_bag_is_a_wrong_address_and_makes_no_dead_letter(engine, context, site, put):
    put(5)
    put(5, 'B')
    site.mood = lambda: 404
    a, b = StationQueue('A', context), StationQueue('B', context)
    waits = [queue.step().seconds for _ in range(3) for queue in (a, b)]
    assert min(waits) >= 1.0 and context.paused and 'wrong address' in context.errors['A']
    assert context.outbox.counts().dead == 0 and context.outbox.counts().waiting == 10
    site.mood = lambda: 200
    for queue in [a, b] * 5:
        queue.step()
    assert len(site.bags) == 10 and not context.paused


def test_a_404_for_one_bag_is_a_dead_letter_and_a_row_of_them_becomes_a_wrong_address(engine, context, site, put):
    put(6)
    queue = StationQueue('A', context)
    site.mood = iter([200, 404, 200, 404, 404, 404]).__next__
    for _ in range(3):
        queue.step()
    assert context.outbox.counts().dead == 1 and not context.paused
    for _ in range(3):
        queue.step()
    counts = context.outbox.counts()
    assert context.paused and (counts.dead, counts.waiting) == (1, 3)
    site.mood = lambda: 200
    while queue.step().seconds < IDLE_S:
        pass
    assert list(site.bags) == ['000000', '000002', '000003', '000004', '000005']


def test_without_a_key_nothing_is_posted(context, site, put):
    put()
    context.key = lambda: ''
    StationQueue('A', context).step()
    assert site.posts == 0 and context.errors['A'] == 'there is no key'


def test_an_answer_that_never_came_makes_no_second_bag(engine, context, site, put):
    put()
    queue = StationQueue('A', context)
    site.mood = iter(['slow', 200]).__next__
    queue.step()
    queue.step()
    assert len(site.bags) == 1 and site.posts == 2 and rows(engine)[0].state == DeliveryItemState.DELIVERED


@pytest.mark.parametrize('rate', [0.05, pytest.param(5.0, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_an_hour_of_outage_then_flapping_then_slow_loses_and_doubles_nothing(context, site, put, rate):
    """Bags come in (so many a second) while the web application is down for an hour, then flaps and is slow for ten minutes."""
    luck = random.Random(7)

    def mood():
        if site.now < 3600:
            return luck.choice([0, 500, 503])
        if site.now < 4200:
            return luck.choice([0, 200, 200, 'slow', 502])
        return 200

    site.mood = mood
    queue, sent = StationQueue('A', context), 0
    while site.now < 4200:
        site.now += queue.step().seconds + 0.02
        wanted = int(site.now * rate)
        put(wanted - sent)
        sent = wanted
    while queue.step().seconds < IDLE_S:
        pass
    assert list(site.bags) == [f'{number:06}' for number in range(sent)]
    assert context.outbox.counts().delivered == sent and site.posts < sent + 2000


def test_a_no_after_an_answer_that_never_came_says_that_the_bag_may_be_recorded(engine, context, site, put):
    put(2)
    queue = StationQueue('A', context)
    site.mood = iter(['slow', 422, 422]).__next__
    for _ in range(3):
        queue.step()
    first, second = (row.error for row in rows(engine))
    assert first.startswith('Look there first') and second.startswith('The web application rejected')


WRONG_YES = (
    HttpResult(200, '{"success": false, "error": "no active job"}'),
    HttpResult(200, '<html><title>Sign in</title><form><input type="password"></form></html>'),
    HttpResult(200, ''),
    HttpResult(204),
    HttpResult(200, '{"success": tr'),
    HttpResult(200, '{"status": 500, "success": true}'),
    HttpResult(200, '{"success": false, "message": "Server busy, try again later"}'),
    HttpResult(200, '{"success": null, "bag_id": 7}'),
    HttpResult(200, '[]'),
    HttpResult(200, 'OK'),
    HttpResult(200, '{"bag_id": null}'),
    HttpResult(200, '{"status": "error", "data": {"bag_id": 9}}'),
    HttpResult(202, '{"message": "queued"}'),
    HttpResult(200, '{"status": "error", "message": "Unauthenticated."}'),
    HttpResult(302, '<a href="/login">moved</a>'),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize('rate', [0.03, *([1.0] if FULL else [])])
def test_an_hour_of_wrong_yes_among_right_ones_loses_and_doubles_nothing(engine, context, site, put, rate):
    """Half of the answers are right; an operator looks every five minutes, and ends a pause."""
    luck = random.Random(11)
    seen = set()

    def mood():
        wrong = luck.randrange(2 * len(WRONG_YES))
        if wrong < len(WRONG_YES):
            seen.add(wrong)
            return WRONG_YES[wrong]
        return luck.choice([200] * 9 + ['slow'])

    site.mood = mood
    queue, sent, looked = StationQueue('A', context), 0, 0.0
    while site.now < 3600:
        site.now += max(queue.step().seconds, 0.02)
        wanted = int(site.now * rate)
        put(wanted - sent)
        sent = wanted
        if site.now - looked > 300:
            looked = site.now
            context.retry_key()
    site.mood = lambda: 200
    context.retry_key()
    while queue.step().seconds < IDLE_S:
        pass
    assert seen == set(range(len(WRONG_YES))) and sent >= int(3600 * rate)
    dead = {row.reading_id: row for row in rows(engine) if row.state == DeliveryItemState.DEAD_LETTER}
    assert set(site.bags) | set(dead) == {f'{number:06}' for number in range(sent)}
    # Recorded, answer lost, and then a no: only the application knows.
    assert set(site.bags) & set(dead) <= site.unanswered
    assert context.outbox.counts().waiting == 0 and all(len(row.error) > 40 and row.response for row in dead.values())
    assert {row.http_status for row in dead.values()} == {200, 202}
    context.outbox.requeue()
    while queue.step().seconds < IDLE_S:
        pass
    assert len(site.bags) == context.outbox.counts().delivered == sent


def test_stations_do_not_hold_each_other_up(engine, context, site, put):
    put(3)
    put(3, 'B')
    post = site.post
    context.post = lambda item, key: HttpResult(500) if item.station == 'A' else post(item, key)
    complaints = []
    delivery = DeliverySender(context, complaints.append)
    wait_until(lambda: len(site.bags) == 3)
    put(1, 'B')
    delivery.wake('B')
    wait_until(lambda: len(site.bags) == 4)
    wait_until(lambda: context.outbox.counts().waiting == 3)
    assert not complaints
    delivery.close()
