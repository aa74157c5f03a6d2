"""A weigh station without ROS, to be killed at any moment: python killed_station.py DATABASE URL.

For each line of standard input one starts, as a child of this process, which has read the libraries once for all of them;
it says its process id when it is ready. The next line is read when it has ended.
"""

import os
import random
import sys
import time

from cell_common.database import migrate, open_database
from cell_common.ids import new_id
from cell_weighing.bridge.journal_writer import JournalWriter
from cell_weighing.delivery.http_client import HttpPoster
from cell_weighing.delivery.outbox import Outbox
from cell_weighing.delivery.sender import DeliveryContext, DeliverySender
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.station.store import WeighStore


def main(database: str, url: str) -> None:
    engine = open_database(database)
    migrate(engine, 'cell_weighing')
    store = WeighStore(engine, StationMap({'1': 'A', '2': 'B'}), time.time_ns, deliver=True)
    context = DeliveryContext(Outbox(engine), url, HttpPoster(url, 1.0).post, lambda: 'key', time.time_ns, random.random)
    store.catch_up()
    delivery = DeliverySender(context, sys.exit)

    def weighed(batch: list[WeightReading]) -> None:
        for bag in store.process_readings(batch):
            delivery.wake(bag.station)

    journal = JournalWriter(engine, weighed, sys.stderr.write)
    sys.stdout.write(f'{os.getpid()}\n')
    sys.stdout.flush()
    while True:
        now = time.time_ns()
        journal.append([WeightReading(new_id(), random.choice('12'), 0, now, now, b'raw', ReadingStatus.VALID, '1.1', 'kg')])
        time.sleep(0.02)


if __name__ == '__main__':
    for _ in sys.stdin:
        if child := os.fork():
            os.waitpid(child, 0)
        else:
            random.seed()
            main(*sys.argv[1:])
