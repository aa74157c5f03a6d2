"""Alarms about bags: weighed without a job, or a scale that drifts."""

from __future__ import annotations

from collections.abc import Iterable

from cell_common.alarms import AlarmReporter

from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import convert
from cell_weighing.reports.drift import DriftDetector


class BagAlarms:
    """Raises and clears the alarms; each job starts with a new drift detector per scale.

    Used in the node's thread. Drift is not stored: after a restart it is computed again from the
    bags of active jobs.
    """

    def __init__(self, alarms: AlarmReporter) -> None:
        """Store where alarms are raised."""
        self._alarms = alarms
        self._detectors: dict[str, tuple[int, DriftDetector]] = {}
        """By scale: the id of its job, and the drift detector."""

    def restore(self, bags: Iterable[Bag]) -> None:
        """Process the bags of active jobs from before a restart; a drift among them is raised again.

        Args:
            bags: In the order in which they were stored: a detector depends on the order.
        """
        for bag in bags:
            self._check_drift(bag)

    def update(self, bags: Iterable[Bag], jobs: Iterable[WeighingJob]) -> None:
        """Raise the alarms of new bags, and clear the alarms of stations with an active job.

        Args:
            bags: New bags, each passed once.
            jobs: The latest job of each station.
        """
        for bag in bags:
            if bag.outcome is ToleranceResult.NO_ACTIVE_JOB:
                self._raise_no_job(bag)
            else:
                self._check_drift(bag)
        for job in jobs:
            if job.active:
                self._alarms.clear_alarm(f'no_job/{job.station}')

    def _raise_no_job(self, bag: Bag) -> None:
        weight = f'{bag.weight} {bag.unit}'
        self._alarms.raise_known('no_job', instance=bag.station or bag.scale_id, weight=weight, reason=bag.message)

    def _check_drift(self, bag: Bag) -> None:
        job_id, detector = self._detectors.get(bag.scale_id, (0, DriftDetector()))
        # Another product has another target and spread.
        if job_id != bag.job_id:
            detector = DriftDetector()
            self._detectors[bag.scale_id] = bag.job_id, detector
            self._alarms.clear_alarm(f'drift/{bag.scale_id}')
        if found := detector.add(float(convert(bag.product, bag.unit, bag.target_unit))):
            shift = f'{found.shift:+.3g} {bag.target_unit}'
            self._alarms.raise_known('drift', instance=bag.scale_id, scale=bag.scale_id, shift=shift, job=bag.job_id)
