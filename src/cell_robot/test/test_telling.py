"""What a client hears of its trigger, and in which order."""

import threading

import pytest
from cell_robot.backends.base import Phase
from cell_robot.progress import Teller


def test_sent_is_told_while_no_acknowledgement_is_there():
    told = []
    teller = Teller(told.append)
    teller.tell(Phase.SENT)
    teller.tell(Phase.ACKNOWLEDGED)
    assert told == [Phase.SENT, Phase.ACKNOWLEDGED]


def test_sent_is_not_told_after_the_acknowledgement():
    told = []
    teller = Teller(told.append)
    teller.tell(Phase.ACKNOWLEDGED)
    teller.tell(Phase.SENT)
    assert told == [Phase.ACKNOWLEDGED]


def test_who_waits_goes_on_once_the_acknowledgement_has_been_told():
    told = []
    teller = Teller(told.append)
    link = threading.Thread(target=teller.tell, args=(Phase.ACKNOWLEDGED,))
    link.start()
    assert teller.wait(5.0)
    assert told == [Phase.ACKNOWLEDGED]
    link.join()


def test_who_waits_goes_on_after_the_time_when_only_sent_was_told():
    teller = Teller(lambda _: None)
    teller.tell(Phase.SENT)
    assert not teller.wait(0.01)


def test_a_client_that_cannot_be_told_keeps_nobody_waiting():
    def broken(_phase):
        raise RuntimeError('the client is gone')

    teller = Teller(broken)
    with pytest.raises(RuntimeError):
        teller.tell(Phase.ACKNOWLEDGED)
    assert teller.wait(0.0)


def test_two_threads_tell_one_after_the_other():
    inside, told, go_on = threading.Event(), [], threading.Event()

    def slow(phase):
        told.append(phase)
        inside.set()
        assert go_on.wait(5.0)

    teller = Teller(slow)
    node = threading.Thread(target=teller.tell, args=(Phase.SENT,))
    node.start()
    assert inside.wait(5.0)
    link = threading.Thread(target=teller.tell, args=(Phase.ACKNOWLEDGED,))
    link.start()
    assert told == [Phase.SENT]
    go_on.set()
    node.join()
    link.join()
    assert told == [Phase.SENT, Phase.ACKNOWLEDGED]
