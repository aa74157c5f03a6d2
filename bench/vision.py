"""Measure reading and verdict: on drawn frames at three levels, or on photographs with known truth, beside other readers.

    python bench/vision.py [--frames N] [--peers [--peer-frames N]]     drawn frames of the test split
    python bench/vision.py --pieces FILE --seconds 150 [--odd | --even] the same in pieces: reads on from where FILE ends
    python bench/vision.py --pieces FILE [FILE ...]                     tables of what was read so far
    python bench/vision.py --photos FOLDER [--peers] [--variants N]     FOLDER holds pictures and truth.json
    python bench/vision_peers.py setup                                  once, before --peers with PaddleOCR

truth.json is a list of {"file", "part_number"}. Every frame is judged against every part of the catalogue: a verdict MATCH for
a part that is not the one in view is a false accept. Times are processor time of one thread, from the compressed frame to the
verdict; each other reader takes turns with ours on the same frames. Weights and thresholds come from the splits train and dev
(bench/learn_confusions.py). The exit code is 1 when something that must hold does not.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
from cell_common.catalogue import Catalogue, Part
from cell_common.catalogue_file import load_catalogue
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Matcher, MatchOutcome
from cell_vision.ocr.engines.base import ENGINES, Engine, EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.worker.main import warm_up
from vision_frames import LEVELS, SPLITS, Frame, bench_catalogue, frame
from vision_peers import PEERS, Peer
from vision_photos import variants
from vision_prints import TEST_FACES, faces
from vision_run import Row, rejudge, run_ours, run_peer, voted
from vision_tables import Held, faster, looks_table, must_hold, print_held, reads_table, reliability, share, spread, table

CONFIG = Path(__file__).resolve().parents[1] / 'config'
TURN = 12
"""Frames per turn of a reader: with one frame per turn each would find the caches full of the other's
network, which costs the quicker one up to a third of its time."""
MOMENTS = 5


class Bench:
    """One run: our reader, the catalogue, and the measured rows."""

    def __init__(self, options: argparse.Namespace, catalogue: Catalogue) -> None:
        """Load the engine, and compile and warm up the networks for all input shapes, so that no frame pays for it.

        Args:
            options: Command line; used are `engine` and `backend`.
            catalogue: Each reading is judged against all its parts.
        """
        # One thread for every reader: with more, the comparison would be about the machine.
        cv2.setNumThreads(1)
        self._options = options
        self.matcher = Matcher(catalogue, load_weights())
        self.engine: Engine = make_engine(options.engine, EngineOptions(backend=options.backend))
        warm_up(self.engine, 960)
        # Input shapes are compiled one by one at their first use.
        while self.engine.warm_next():
            pass
        self.parts = list(catalogue.parts)

    def own(self, shots: Sequence[tuple[Frame, str]]) -> list[Row]:
        """Read and judge frames.

        Args:
            shots: (frame, level) of each.
        """
        return [self.one(shot, level) for shot, level in shots]

    def one(self, shot: Frame, level: str) -> Row:
        """Read and judge one frame; photographs get a careful second reading if the first is undecided, as in the cell.

        Args:
            shot: Frame with its truth.
            level: Name of the level, for the tables.
        """
        return run_ours(
            self.engine,
            self.matcher,
            shot,
            level,
            shot.part_number or self.parts[0],
            careful=bool(self._options.photos or self._options.second_look),
        )

    def levels(self) -> list[Row]:
        """Read the frames of all levels."""
        rows = []
        for level in self._options.levels:
            for number in range(self._options.frames):
                rows.append(self.one(frame(self._options.split, level, number, self.parts), level))
            print(f'{level}: {self._options.frames} frames read', file=sys.stderr)
        return rows

    def piece(self, done: Path) -> None:
        """Read frames until the time is over; each result is appended to the file immediately, so that none is lost.

        Args:
            done: File of rows, one JSON object a line; frames that it holds are not read again.
        """
        options, end = self._options, time.monotonic() + self._options.seconds
        known = {row.name for row in kept([done])} if done.exists() else set[str]()
        with done.open('a', encoding='utf-8') as out:
            for number in range(int(options.odd), options.frames, 2 if options.odd or options.even else 1):
                for level in options.levels:
                    if f'{options.split} {level} {number}.0' in known:
                        continue
                    if time.monotonic() > end:
                        return
                    out.write(json.dumps(asdict(self.one(frame(options.split, level, number, self.parts), level))) + '\n')
                    out.flush()

    def votes(self, count: int) -> tuple[list[Row], list[Row]]:
        """Read frames of the hardest level one by one and five by vote.

        Args:
            count: Parts.

        Returns:
            Rows of the first frame alone, and rows of MOMENTS frames fused.
        """
        level, alone, together = self._options.levels[-1], [], []
        for number in range(count):
            shots = [frame(self._options.split, level, number, self.parts, moment) for moment in range(MOMENTS)]
            alone.append(run_ours(self.engine, self.matcher, shots[0], level, self.parts[0], careful=False))
            together.append(voted(self.engine, self.matcher, shots, level))
        return alone, together

    def against(self, shots: Sequence[tuple[Frame, str]]) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
        """Run each other reader alternately with ours, TURN frames each time; return its rows and ours.

        Args:
            shots: (frame, level) of each.

        Returns:
            Reader -> its rows, and reader -> our rows on the same frames. A reader that is not installed is left out.
        """
        peers: dict[str, list[Row]] = {}
        pace: dict[str, list[Row]] = {}
        for name in self._options.peers or ():
            try:
                peer = Peer(name)
            except (FileNotFoundError, RuntimeError) as error:
                print(f'left out: {error}', file=sys.stderr)
                continue
            # The same frames for both, close in time: the processor's clock changes with its temperature.
            for begin in range(0, len(shots), TURN):
                turn = shots[begin : begin + TURN]
                peers.setdefault(name, []).extend(run_peer(peer, self.matcher, shot, level) for shot, level in turn)
                pace.setdefault(name, []).extend(self.one(shot, level) for shot, level in turn)
            peer.close()
            print(f'{name}: {len(shots)} frames read', file=sys.stderr)
        return peers, pace


def main() -> int:
    """Run the bench."""
    options = _options()
    held = _photos(options) if options.photos else _drawn(options)
    print(f'memory of this process (peak) {round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)} MB\n')
    return 0 if print_held(held) else 1


def _drawn(options: argparse.Namespace) -> list[Held]:
    """Measure on drawn frames; return the requirements."""
    bench = Bench(options, bench_catalogue(CONFIG))
    print(
        f'{bench.engine.name}, split {options.split}, {len(bench.parts)} parts; typefaces: {", ".join(faces(options.split))} '
        f'({", ".join(set(TEST_FACES) & set(faces("test")))}: of the test split alone)\n'
    )
    if options.pieces and options.seconds:
        bench.piece(options.pieces[0])
    rows = [rejudge(row, bench.matcher) for row in kept(options.pieces)] if options.pieces else bench.levels()
    alone, together = bench.votes(options.votes)
    few = [
        (frame(options.split, level, number, bench.parts), level)
        for level in options.levels
        for number in range(options.peer_frames)
    ]
    peers, pace = bench.against(few)
    reads_table(
        {
            'ours': rows,
            **(
                {f'ours, the {options.votes} of the vote, 1 frame': alone, f'the same, {MOMENTS} frames voted': together}
                if together
                else {}
            ),
        }
    )
    if peers:
        print(f'The first {options.peer_frames} frames of each level, ours and each other reader in turns:\n')
        reads_table({name: some for peer in peers for name, some in ((f'ours beside {peer}', pace[peer]), (peer, peers[peer]))})
    looks_table(rows)
    error = reliability(rows)
    times_table(rows)
    _report(rows, options)
    return [*must_hold(rows, together, alone, peers, pace), Held('calibration error <= 0.05', f'{error:.4f}', error <= 0.05)]


def _photos(options: argparse.Namespace) -> list[Held]:
    """Measure on photographs; return the requirements."""
    truth = json.loads((options.photos / 'truth.json').read_text())
    catalogue = (
        load_catalogue(options.catalogue)
        if options.catalogue
        else Catalogue({number: Part(number, 'A', ()) for number in sorted({entry['part_number'] for entry in truth})})
    )
    bench = Bench(options, catalogue)
    shots = [
        (
            Frame(entry['file'], (options.photos / entry['file']).read_bytes(), entry['part_number'], '', 'part', 'photo'),
            'photo',
        )
        for entry in truth
    ]
    if options.variants:
        shots = [(shot, 'photo') for photo, _ in shots for shot in variants(photo, options.variants)]
    rows = bench.own(shots)
    peers, pace = bench.against(shots)
    right = share([row.verdict == MatchOutcome.MATCH.value for row in rows])
    wrong, pairs = sum(len(row.false_accepts) for row in rows), sum(row.pairs for row in rows)
    times_table(rows)
    for name, some in peers.items():
        print(
            f'{name}: right {share([row.verdict == MatchOutcome.MATCH.value for row in some]):.1f} %, false accepts '
            f'{sum(len(row.false_accepts) for row in some)}, median {spread([row.milliseconds for row in some])[0]:.0f} ms'
        )
    _report(rows, options)
    return [
        Held('right verdicts >= 99 %', f'{right:.2f} % of {len(rows)}', right >= 99),
        Held('false accepts 0', f'{wrong} in {pairs} pairs', not wrong),
        faster('PaddleOCR 3.7', 8.0, peers.get('PaddleOCR 3.7', []), pace.get('PaddleOCR 3.7', [])),
    ]


def kept(files: Sequence[Path]) -> list[Row]:
    """Return the rows in the files of a run."""
    return [Row(**json.loads(line)) for file in files for line in file.read_text(encoding='utf-8').splitlines()]


def times_table(rows: Sequence[Row]) -> None:
    """Print the time spent in each stage."""
    quick = [row for row in rows if not row.careful]
    table(
        ['time, ms', 'frames', 'median', 'p95'],
        [
            [name, len(values), *spread(values)]
            for name, values in (
                ('frame to verdict', [row.milliseconds for row in rows]),
                ('the same by the clock', [row.wall for row in rows]),
                ('decided at the first look', [row.milliseconds for row in quick]),
                ('the verdict alone', [row.judged for row in rows]),
            )
        ],
    )


def _report(rows: Sequence[Row], options: argparse.Namespace) -> None:
    """Print the rows that need attention, and write all of them to --json."""
    for row in rows:
        missed = row.part_number and row.verdict != MatchOutcome.MATCH.value
        if row.false_accepts or (options.show and (missed or (row.text and not row.exact))):
            accepted = f'FALSE ACCEPT as {row.false_accepts} ' if row.false_accepts else ''
            print(f'  {row.name} {row.look} {row.part_number or row.kind} "{row.text}" {accepted}{row.verdict} {row.texts}')
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def _options() -> argparse.Namespace:
    """Parse the command line; `--peers` without names means all of PEERS."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--photos', type=Path, help='measure on photographs instead of drawn frames')
    parser.add_argument('--catalogue', type=Path, help='catalogue of the photographs; default: the part numbers of truth.json')
    parser.add_argument('--variants', type=int, default=0, help='number of changed copies of each photograph to judge instead')
    parser.add_argument('--pieces', type=Path, nargs='+', help='rows are appended to this file, or taken from these')
    parser.add_argument('--seconds', type=float, default=0.0, help='time to read further frames, seconds; 0 = read none')
    parser.add_argument('--odd', action='store_true', help='only frames with odd numbers: another process reads the even ones')
    parser.add_argument('--even', action='store_true')
    parser.add_argument('--split', default='test', choices=SPLITS)
    parser.add_argument('--levels', nargs='+', default=list(LEVELS), choices=list(LEVELS))
    parser.add_argument('--frames', type=int, default=720, help='frames of each level; 720 give over 100,000 pairs')
    parser.add_argument('--votes', type=int, default=720, help='parts of the hardest level read five times each')
    parser.add_argument('--peers', nargs='*', choices=list(PEERS), help='other readers, all when none is named')
    parser.add_argument('--peer-frames', type=int, default=40, help='frames of each level for the other readers')
    parser.add_argument('--engine', default='ppocr', choices=ENGINES)
    parser.add_argument('--backend', default='auto')
    parser.add_argument(
        '--second-look',
        action='store_true',
        help='read an undecided drawn frame once more, carefully, as photographs always are',
    )
    parser.add_argument('--json', type=Path)
    parser.add_argument('--show', action='store_true', help='print every frame that was not read exactly or not matched')
    options = parser.parse_args()
    if options.peers == []:
        options.peers = list(PEERS)
    return options


if __name__ == '__main__':
    sys.exit(main())
