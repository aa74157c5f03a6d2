"""Weighing types and helpers for the tests of other packages."""

from __future__ import annotations

import time
from decimal import Decimal

from cell_common.database import migrate, open_database

from cell_weighing.bridge.node import ScaleBridgeNode
from cell_weighing.delivery.http_client import HttpPoster
from cell_weighing.delivery.policy import DeliveryItem, DeliveryVerdict, HttpResult, classify, parse_receipt
from cell_weighing.domain.jobs import JobRequest, WeighingJob
from cell_weighing.domain.reading import ReadingStatus, WeightReading
from cell_weighing.domain.station_map import StationMap
from cell_weighing.domain.tolerance import ToleranceBand
from cell_weighing.station.node import WeighStationNode
from cell_weighing.station.store import WeighStore
from cell_weighing.storage.tables import DeliveryRow

__all__ = [
    'DeliveryItem',
    'DeliveryRow',
    'DeliveryVerdict',
    'HttpPoster',
    'HttpResult',
    'JobRequest',
    'ReadingStatus',
    'ScaleBridgeNode',
    'StationMap',
    'ToleranceBand',
    'WeighStationNode',
    'WeighStore',
    'WeighingJob',
    'WeightReading',
    'classify',
    'open_store',
    'parse_receipt',
    'start_job',
]


def open_store(url: str) -> WeighStore:
    """Return the store of a database with current tables, for a site with scale 1 at station A.

    Args:
        url: SQLAlchemy URL; the database is created and migrated.
    """
    engine = open_database(url)
    migrate(engine, 'cell_weighing')
    return WeighStore(engine, StationMap({'1': 'A'}), time.time_ns)


def start_job(store: WeighStore, quantity: int = 2, target: str = '1.10') -> WeighingJob:
    """Start a weigh job of ACME at station A, with a tolerance of 10 %.

    Args:
        store: Store with station A and no active job there.
        quantity: Bags in tolerance at which the job is complete.
        target: Target weight, decimal digits in kg.
    """
    band = ToleranceBand(Decimal(target), 'kg', Decimal('0.10'))
    return store.start_job(JobRequest('ACME', 'A', band, quantity), time.time_ns(), 'ann')
