"""Alarms that bags give cause for: weighed without a job, or a scale that drifts."""

from __future__ import annotations

from collections.abc import Iterable

from cell_common.alarms import LOW, MEDIUM, AlarmReporter

from cell_weighing.domain.jobs import Bag, WeighingJob
from cell_weighing.domain.tolerance import ToleranceResult
from cell_weighing.domain.units import convert
from cell_weighing.reports.spc import DriftDetector


class BagAlarms:
    """Looks at each new bag once. What it has learned of a scale ends with the job; after a restart it is learned again."""

    def __init__(self, alarms: AlarmReporter) -> None:
        """Take where alarms are raised."""
        self._alarms = alarms
        self._watches: dict[str, tuple[int, DriftDetector]] = {}
        """By scale: the job that it weighs for, and what is known of its drift."""

    def restore(self, bags: Iterable[Bag]) -> None:
        """Learn from the bags that active jobs had before this start; a drift that stood then is told again."""
        for bag in bags:
            self._drift(bag)

    def update(self, bags: Iterable[Bag], jobs: Iterable[WeighingJob]) -> None:
        """Raise what new bags give cause for, and withdraw what a started job puts right."""
        for bag in bags:
            if bag.outcome is ToleranceResult.NO_ACTIVE_JOB:
                self._no_job(bag)
            else:
                self._drift(bag)
        for job in jobs:
            if job.active:
                self._alarms.clear_alarm(f'no_job_{job.station}')

    def _no_job(self, bag: Bag) -> None:
        self._alarms.raise_alarm(
            f'no_job_{bag.station or bag.scale_id}',
            MEDIUM,
            f'Bag of {bag.weight} {bag.unit} not counted: {bag.message}',
            consequence='It is recorded, but belongs to no job.',
            action='Start a weigh job at the station, then weigh the bag again.',
        )

    def _drift(self, bag: Bag) -> None:
        job_id, watch = self._watches.get(bag.scale_id, (0, DriftDetector()))
        if job_id != bag.job_id:
            watch = DriftDetector()
            self._watches[bag.scale_id] = bag.job_id, watch
            self._alarms.clear_alarm(f'drift_{bag.scale_id}', force=True)
        if watch.found is not None:
            return
        if found := watch.add(float(convert(bag.product, bag.unit, bag.target_unit))):
            self._alarms.raise_alarm(
                f'drift_{bag.scale_id}',
                LOW,
                f'Scale {bag.scale_id}: bags of weigh job {bag.job_id} have shifted by {found.shift:+.3g} {bag.target_unit}.',
                consequence='Each bag is still judged, but the weights may be wrong or product is given away.',
                action='Check the scale with a test weight. When it is right, adjust the filler.',
            )
