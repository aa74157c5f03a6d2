"""The `part_matcher` node: catalogue, benchmarks, the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.commands import expiry_error
from cell_common.database import DatabaseError, migrate, open_database
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events
from cell_common.runner import StartError, node_main
from cell_common.time import NS_PER_S
from rclpy.node import Node
from rclpy.time import Time
from sqlalchemy.exc import SQLAlchemyError

from cell_interfaces.msg import BenchmarkSet, MatchResult, OcrResult, PartScore, ResultCode
from cell_interfaces.srv import GetBenchmarks, MatchPart, StoreBenchmark
from cell_vision.matching.barcode_check import CodeWitness, Witnessed
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.benchmark_store import BenchmarkStore
from cell_vision.matching.catalogue_lint import lint
from cell_vision.matching.confusions import load_weights
from cell_vision.matching.matcher import Decision, Matcher, Verdict
from cell_vision.matching.text_lines import join_lines
from cell_vision.ocr.conversions import codes_of, points, readings_of

VERDICTS = {
    Verdict.MATCH: MatchResult.MATCH,
    Verdict.MISMATCH: MatchResult.MISMATCH,
    Verdict.AMBIGUOUS: MatchResult.AMBIGUOUS,
    Verdict.UNREADABLE: MatchResult.UNREADABLE,
    Verdict.UNKNOWN: MatchResult.UNKNOWN,
}


@dataclass(frozen=True)
class MatcherParameters:
    """What readings are judged against."""

    catalogue_file: str = parameter('', 'The part catalogue, a YAML file.')
    database_url: str = parameter('', 'SQLAlchemy URL of the database that keeps the benchmarks.')


class MatcherNode(Node):
    """Serves `matching/match`, `matching/store_benchmark` and `matching/benchmarks`; publishes `matching/result`."""

    def __init__(self, **options: Any) -> None:
        super().__init__('part_matcher', **options)
        parameters = declare_parameters(self, MatcherParameters)
        try:
            catalogue = load_catalogue(parameters.catalogue_file)
            engine = open_database(parameters.database_url)
            migrate(engine, 'cell_vision')
        except (CatalogueError, DatabaseError) as problem:
            raise StartError(str(problem)) from problem
        weights = load_weights()
        self._doubts = lint(catalogue, weights)
        for doubt in self._doubts:
            self.get_logger().warning(doubt)
        self._store = BenchmarkStore(engine)
        self._matcher = Matcher(catalogue, weights, self._store.newest())
        self._codes = CodeWitness(catalogue)
        self._verdicts = dict.fromkeys(Verdict, 0)
        self._results = self.create_publisher(MatchResult, 'matching/result', events())
        self.create_service(MatchPart, 'matching/match', self._match)
        self.create_service(StoreBenchmark, 'matching/store_benchmark', self._store_benchmark)
        self.create_service(GetBenchmarks, 'matching/benchmarks', self._benchmarks)
        self._diagnostics = Diagnostics(self)
        self._diagnostics.add('catalogue', self._health)

    def _match(self, request: MatchPart.Request, response: MatchPart.Response) -> MatchPart.Response:
        expected = request.expected_part_number
        if expected not in self._matcher.catalogue.parts:
            response.code, response.message = ResultCode.UNKNOWN_PART, f'part "{expected}" is not in the catalogue'
            return response
        if request.ocr.status in {OcrResult.OK, OcrResult.NO_TEXT}:
            decision = self._matcher.decide(expected, readings_of(request.ocr))
            witnessed = self._codes.judge(expected, decision, codes_of(request.ocr))
        else:
            witnessed = Witnessed(Decision(Verdict.UNREADABLE, request.ocr.message or 'the frame was not read'))
        self._verdicts[witnessed.decision.verdict] += 1
        response.result = match_message(witnessed, request)
        self._results.publish(response.result)
        return response

    def _store_benchmark(self, request: StoreBenchmark.Request, response: StoreBenchmark.Response) -> StoreBenchmark.Response:
        now = self.get_clock().now().nanoseconds
        if late := expiry_error(request.command, now):
            response.code, response.message = ResultCode.EXPIRED, late
            return response
        texts = [line.shown for line in join_lines(readings_of(request.ocr))]
        identifying = self._matcher.identifying(texts, request.part_number)
        response.code, response.message = self._refusal(request, identifying)
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
        except SQLAlchemyError as problem:
            response.code, response.message = ResultCode.STORAGE_FAILED, f'the benchmark was not stored: {problem}'
            return response
        self._matcher.benchmarks = {**self._matcher.benchmarks, benchmark.part_number: benchmark}
        response.version = benchmark.version
        response.message = f'benchmark {benchmark.version} of {benchmark.part_number} stored'
        return response

    def _benchmarks(self, request: GetBenchmarks.Request, response: GetBenchmarks.Response) -> GetBenchmarks.Response:
        try:
            part, newest = request.part_number, self._store.newest()
            found = self._store.history(part) if part else [newest[name] for name in sorted(newest)]
        except SQLAlchemyError as problem:
            response.code, response.message = ResultCode.STORAGE_FAILED, f'the benchmarks cannot be read: {problem}'
            return response
        response.benchmarks = [benchmark_message(benchmark) for benchmark in found]
        response.message = f'{len(found)} benchmarks' if found else 'no benchmark is stored; set one with set_benchmark'
        return response

    def _refusal(self, request: StoreBenchmark.Request, identifying: list[str]) -> tuple[int, str]:
        """Say why a reading cannot be a benchmark, (OK, "") when it can."""
        if request.part_number not in self._matcher.catalogue.parts:
            return ResultCode.UNKNOWN_PART, f'part "{request.part_number}" is not in the catalogue'
        if request.ocr.status != OcrResult.OK or not request.ocr.texts:
            return ResultCode.INVALID_ARGUMENT, 'nothing was read on the part; show it to the camera again'
        decision = self._matcher.decide(request.part_number, readings_of(request.ocr))
        if decision.verdict is Verdict.MISMATCH:
            return ResultCode.INVALID_ARGUMENT, f'this is not a good {request.part_number}: {decision.reason}'
        if not identifying:
            return ResultCode.INVALID_ARGUMENT, (
                f'none of the texts read holds the number {request.part_number}: show the '
                'part again, or name its print in the catalogue (prints)'
            )
        return ResultCode.OK, ''

    def _health(self) -> Health:
        counts = {verdict.value.lower(): str(count) for verdict, count in self._verdicts.items()}
        return Health(
            1 if self._doubts else 0,
            ' '.join(self._doubts),
            {'parts': str(len(self._matcher.catalogue.parts)), 'benchmarks': str(len(self._matcher.benchmarks)), **counts},
        )


def benchmark_message(benchmark: Benchmark) -> BenchmarkSet:
    """Return a stored benchmark as a message."""
    assert benchmark.created_at is not None
    stamp = Time(nanoseconds=round(benchmark.created_at.timestamp() * NS_PER_S)).to_msg()
    return BenchmarkSet(
        stamp=stamp,
        part_number=benchmark.part_number,
        version=benchmark.version,
        texts=list(benchmark.texts),
        frames=min(255, benchmark.frames),
        operator_id=benchmark.operator_id,
    )


def match_message(witnessed: Witnessed, request: MatchPart.Request) -> MatchResult:
    """Return a decision as a message."""
    decision = witnessed.decision
    by = MatchResult.BY_NONE
    if witnessed.by_code:
        by = MatchResult.BY_CODE
    elif decision.verdict not in {Verdict.UNREADABLE, Verdict.UNKNOWN}:
        by = MatchResult.BY_BENCHMARK if decision.by_benchmark else MatchResult.BY_CATALOGUE
    return MatchResult(
        header=request.ocr.header,
        request_id=request.request_id,
        expected_part_number=request.expected_part_number,
        verdict=VERDICTS[decision.verdict],
        part_number=decision.part_number,
        score=decision.score,
        decided_by=by,
        candidates=[PartScore(part_number=part, score=score) for part, score in decision.candidates],
        text=decision.text,
        polygon=points(decision.polygon),
        reason=decision.reason,
    )


main = node_main(MatcherNode)

if __name__ == '__main__':
    main()
