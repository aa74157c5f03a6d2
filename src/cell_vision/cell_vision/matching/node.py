"""The `part_matcher` node: matches readings against the catalogue and the stored benchmarks.

All services run in the executor's thread: a match is quick, and a benchmark is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.command_log import open_command_log
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, migrate, open_database, storage_error
from cell_common.database_worker import DatabaseWorker
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.services import create_service, publish_events
from cell_common.time import NS_PER_S, now_ns
from rclpy.node import Node
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces.msg import BenchmarkSet, MatchResult, ResultCode
from cell_interfaces.srv import GetBenchmarks, MatchPart, StoreBenchmark
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.benchmark_store import BenchmarkStore
from cell_vision.matching.catalogue_lint import lint_catalogue
from cell_vision.matching.catalogue_notes import catalogue_notes
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.judge import PartJudge
from cell_vision.matching.matcher import MatchOutcome

__all__ = ['MatcherNode']


@dataclass(frozen=True)
class MatcherParameters:
    """Files against which readings are matched."""

    catalogue_file: str = parameter('', 'The part catalogue, a YAML file.')
    database_url: str = parameter('', 'SQLAlchemy URL of the database for the benchmarks.')


class MatcherNode(Node):
    """Serves `matching/match`, `matching/store_benchmark` and `matching/benchmarks`; publishes `matching/result`.

    A benchmark takes effect with its storage, without a restart. The catalogue is read at the start
    only.
    """

    def __init__(self, **options: Any) -> None:
        """Load the catalogue, open the database, and report what the catalogue's numbers make hard to tell apart.

        Args:
            options: Passed to `rclpy.node.Node`, e.g. `parameter_overrides` in tests.

        Raises:
            ParameterError: A parameter is out of range.
            StartError: The catalogue or the database cannot be used.
        """
        super().__init__('part_matcher', **options)
        parameters = declare_parameters(self, MatcherParameters)
        try:
            catalogue = load_catalogue(parameters.catalogue_file)
            engine = open_database(parameters.database_url)
            migrate(engine, 'cell_vision')
            self._commands = open_command_log(self, engine, DatabaseWorker(self))
        except (CatalogueError, DatabaseError) as error:
            raise StartError(str(error)) from error
        weights = load_weights()
        self._warnings = lint_catalogue(catalogue, weights)
        for warning in self._warnings:
            self.get_logger().warning(warning)
        for note in catalogue_notes(catalogue, weights):
            self.get_logger().info(note)
        self._store = BenchmarkStore(engine)
        self._judge = PartJudge(catalogue, weights, self._store.latest())
        self._outcomes = dict.fromkeys(MatchOutcome, 0)
        self._results = self.create_publisher(MatchResult, 'matching/result', events())
        publish_events(self, create_service(self, MatchPart, 'matching/match', self._match))
        create_service(self, StoreBenchmark, 'matching/store_benchmark', self._store_benchmark, None, self._commands)
        create_service(self, GetBenchmarks, 'matching/benchmarks', self._benchmarks)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('catalogue', self._health)

    def destroy_node(self) -> None:
        """Store the last command, then destroy the node."""
        self._commands.close()
        super().destroy_node()

    def _match(self, request: MatchPart.Request, response: MatchPart.Response) -> MatchPart.Response:
        """Answer `matching/match`, and publish the same result for page, overlay and log."""
        outcome = self._judge.judge(request, response)
        if outcome is not None:
            self._outcomes[outcome] += 1
            self._results.publish(response.result)
        return response

    def _store_benchmark(self, request: StoreBenchmark.Request, response: StoreBenchmark.Response) -> StoreBenchmark.Response:
        """Answer `matching/store_benchmark`: store a reading that contains the number of the part."""
        now = now_ns(self)
        if expired := expiry_error(request.command, now):
            response.code, response.message = ResultCode.EXPIRED, expired
            return response
        texts, identifying = self._judge.benchmark_texts(request.part_number, request.ocr)
        response.code, response.message = self._judge.benchmark_error(request.part_number, request.ocr, identifying)
        if response.code != ResultCode.OK:
            return response
        try:
            benchmark = self._store.add(
                request.part_number,
                texts,
                identifying,
                operator_id=request.command.operator_id,
                at=datetime.fromtimestamp(now / NS_PER_S, timezone.utc),
                frames=max(1, request.ocr.frames),
            )
        except SQLAlchemyError as error:
            response.code, response.message = ResultCode.STORAGE_FAILED, f'the benchmark was not stored: {storage_error(error)}'
            return response
        # After the transaction: a benchmark that is not stored must not decide.
        self._judge.set_benchmark(benchmark)
        response.version = benchmark.version
        response.message = f'benchmark {benchmark.version} of {benchmark.part_number} stored'
        return response

    def _benchmarks(self, request: GetBenchmarks.Request, response: GetBenchmarks.Response) -> GetBenchmarks.Response:
        """Answer `matching/benchmarks`: the history of one part, or the latest benchmark of each part."""
        try:
            part, latest = request.part_number, self._store.latest()
            found = self._store.history(part) if part else [latest[name] for name in sorted(latest)]
        except SQLAlchemyError as error:
            response.code, response.message = (
                ResultCode.STORAGE_FAILED,
                f'the benchmarks cannot be read: {storage_error(error)}',
            )
            return response
        response.benchmarks = [benchmark_message(benchmark) for benchmark in found]
        response.message = f'{len(found)} benchmarks' if found else 'no benchmark is stored; set one with set_benchmark'
        return response

    def _health(self) -> Health:
        counts = {outcome.value.lower(): str(count) for outcome, count in self._outcomes.items()}
        matcher = self._judge.matcher
        return Health(
            1 if self._warnings else 0,
            ' '.join(self._warnings),
            {
                'parts': str(len(matcher.catalogue.parts)),
                'benchmarks': str(len(matcher.benchmarks)),
                **counts,
            },
        )


def benchmark_message(benchmark: Benchmark) -> BenchmarkSet:
    """Return a stored benchmark as a message."""
    assert benchmark.created_at is not None
    return BenchmarkSet(
        stamp=to_msg(round(benchmark.created_at.timestamp() * NS_PER_S)),
        part_number=benchmark.part_number,
        version=benchmark.version,
        texts=list(benchmark.texts),
        frames=min(255, benchmark.frames),
        operator_id=benchmark.operator_id,
    )


main = node_main(MatcherNode)

if __name__ == '__main__':
    main()
