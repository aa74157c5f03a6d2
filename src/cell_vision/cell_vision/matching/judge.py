"""Judges a reading that arrives as a message: catalogue, benchmarks and barcodes together.

Node `part_matcher` answers with it, and a replay asks it again.
"""

from __future__ import annotations

from collections.abc import Sequence

from cell_common.catalogue import Catalogue

from cell_interfaces.msg import MatchResult, OcrResult, PartScore, ResultCode
from cell_interfaces.srv import MatchPart
from cell_vision.matching.barcode_check import BarcodeCheck, CheckedDecision
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.matching.text_lines import group_lines
from cell_vision.ocr.conversions import codes_of, point_messages, readings_of

OUTCOMES = {
    MatchOutcome.MATCH: MatchResult.MATCH,
    MatchOutcome.MISMATCH: MatchResult.MISMATCH,
    MatchOutcome.AMBIGUOUS: MatchResult.AMBIGUOUS,
    MatchOutcome.UNREADABLE: MatchResult.UNREADABLE,
    MatchOutcome.UNKNOWN: MatchResult.UNKNOWN,
}


class PartJudge:
    """Decides whether a reading shows the ordered part.

    Attributes:
        matcher: Compares texts with catalogue and benchmarks.
    """

    def __init__(self, catalogue: Catalogue, weights: ConfusionWeights, benchmarks: dict[str, Benchmark]) -> None:
        """Prepare the catalogue.

        Args:
            catalogue: Parts of the cell.
            weights: Costs of misread characters.
            benchmarks: Part number -> its latest benchmark.
        """
        self.matcher = Matcher(catalogue, weights, benchmarks)
        self._barcodes = BarcodeCheck(catalogue)

    def judge(self, request: MatchPart.Request, response: MatchPart.Response) -> MatchOutcome | None:
        """Fill the response of matching/match; return the outcome, None if the part is not in the catalogue.

        Args:
            request: Reading and ordered part.
            response: Changed in place.
        """
        expected = request.expected_part_number
        if expected not in self.matcher.catalogue.parts:
            response.code, response.message = ResultCode.UNKNOWN_PART, f'part "{expected}" is not in the catalogue'
            return None
        # A frame without text is a reading, too: its barcodes may decide. A failed reading is none.
        if request.ocr.status in {OcrResult.OK, OcrResult.NO_TEXT}:
            decision = self.matcher.match(expected, readings_of(request.ocr), request.ocr.frames)
            checked = self._barcodes.apply(expected, decision, codes_of(request.ocr))
        else:
            checked = CheckedDecision(Decision(MatchOutcome.UNREADABLE, request.ocr.message or 'the frame was not read'))
        response.result = match_message(checked, request)
        return checked.decision.verdict

    def benchmark_texts(self, part_number: str, ocr: OcrResult) -> tuple[list[str], list[str]]:
        """Return the lines of a reading, and those among them that contain the number of the part."""
        texts = [line.display_text for line in group_lines(readings_of(ocr))]
        return texts, self.matcher.identifying_texts(texts, part_number)

    def benchmark_error(self, part_number: str, ocr: OcrResult, identifying: Sequence[str]) -> tuple[int, str]:
        """Return code and message if a reading cannot be a benchmark, otherwise (OK, "").

        Args:
            part_number: Part that was shown.
            ocr: Its reading.
            identifying: Of `benchmark_texts`.
        """
        if part_number not in self.matcher.catalogue.parts:
            return ResultCode.UNKNOWN_PART, f'part "{part_number}" is not in the catalogue'
        if ocr.status != OcrResult.OK or not ocr.texts:
            return ResultCode.INVALID_ARGUMENT, 'no text was read on the part; show it to the camera again'
        decision = self.matcher.match(part_number, readings_of(ocr))
        if decision.verdict is MatchOutcome.MISMATCH:
            return ResultCode.INVALID_ARGUMENT, f'this is not a good {part_number}: {decision.reason}'
        if not identifying:
            return ResultCode.INVALID_ARGUMENT, (
                f'no text contains the number {part_number}: show the part again, or give its print in the catalogue (prints)'
            )
        return ResultCode.OK, ''

    def set_benchmark(self, benchmark: Benchmark) -> None:
        """Use a benchmark from now on."""
        self.matcher.benchmarks = {**self.matcher.benchmarks, benchmark.part_number: benchmark}


def match_message(checked: CheckedDecision, request: MatchPart.Request) -> MatchResult:
    """Return a decision as a message.

    Args:
        checked: Decision after the barcode check.
        request: Request with the reading, whose header, id and order are repeated in the result.
    """
    decision = checked.decision
    by = MatchResult.BY_NONE
    if checked.by_code:
        by = MatchResult.BY_CODE
    elif decision.verdict not in {MatchOutcome.UNREADABLE, MatchOutcome.UNKNOWN}:
        by = MatchResult.BY_BENCHMARK if decision.by_benchmark else MatchResult.BY_CATALOGUE
    return MatchResult(
        header=request.ocr.header,
        request_id=request.request_id,
        expected_part_number=request.expected_part_number,
        verdict=OUTCOMES[decision.verdict],
        part_number=decision.part_number,
        score=decision.score,
        decided_by=by,
        candidates=[PartScore(part_number=part, score=score) for part, score in decision.candidates],
        text=decision.text,
        polygon=point_messages(decision.polygon),
        reason=decision.reason,
    )
