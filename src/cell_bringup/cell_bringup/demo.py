"""`cell run`: start the cell with simulated devices and run a demo.

The cell is one child process in a session of its own. It ends with this process in every case: by SIGINT, or by the kernel
(setpriv --pdeathsig) when this process is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from cell_common.catalogue import EVENT_LETTERS, LETTERS
from rich.console import Console
from rich.markup import escape

from cell_bringup.client import CellClient, CellError, connected
from cell_bringup.jobs import ensure_stock, run_pick_job, run_weigh_job, wait_until_ready
from cell_bringup.terminal_views import StockCounts, status_table, summary_table

__all__ = ['Options', 'photo_catalogue', 'run']

PIECES, BAGS = 3, 3
PART = 'EM1-2U1'
STATION, TARGET_KG = 'A', '1.10'
BAGS_S = 120.0
STOP_S = 15.0


@dataclass(frozen=True)
class Options:
    """Options of `cell run`.

    Attributes:
        demo: Run the demo jobs.
        photos: Folder of photographs for the simulated camera; None = drawn labels.
        state_dir: Folder of database, log and catalogue of the photographs.
        launch_arguments: Further name:=value arguments of cell.launch.py.
    """

    demo: bool
    photos: Path | None
    state_dir: Path
    launch_arguments: tuple[str, ...]


def photo_catalogue(folder: Path) -> dict[str, object]:
    """Make a catalogue of the part numbers in a folder of photographs.

    Args:
        folder: With truth.json: [{"file": ..., "part_number": ...}, ...].

    Returns:
        Data of a catalogue file, with a free letter for each part.

    Raises:
        CellError: The folder has no usable truth.json.
    """
    try:
        truth = json.loads((folder / 'truth.json').read_text(encoding='utf-8'))
        numbers = sorted({str(entry['part_number']) for entry in truth})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CellError(f'{folder} needs a truth.json: [{{"file": ..., "part_number": ...}}, ...] ({error}).') from error
    free = [letter for letter in LETTERS if letter not in EVENT_LETTERS.values()]
    if not 0 < len(numbers) <= len(free):
        raise CellError(f'{folder} names {len(numbers)} part numbers; 1 to {len(free)} have letters.')
    trays = [{'count': 12, 'capacity': 24, 'low': 4} for _ in range(4)]
    return {
        'parts': [{'part_number': name, 'letter': letter, 'trays': trays} for name, letter in zip(numbers, free, strict=False)]
    }


def run(options: Options, console: Console) -> int:
    """Start the cell, run the demo if wanted, and keep the cell up until Ctrl-C; return the exit code.

    SIGTERM and SIGHUP are handled like Ctrl-C: a closed terminal must not leave a cell behind.

    Args:
        options: Of the command line.
        console: Output; the nodes write to launch.log.
    """
    # A closed terminal sends SIGHUP, a service manager SIGTERM.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    options.state_dir.mkdir(parents=True, exist_ok=True)
    arguments, part = _photo_arguments(options) if options.photos else ([], PART)
    arguments += options.launch_arguments
    web_port = next((a.split(':=')[1] for a in reversed(arguments) if a.startswith('web_port:=')), '8080')
    log = options.state_dir / 'launch.log'
    console.print(f'starting the cell with simulated devices (log: {escape(_short(log))})')
    began = time.monotonic()
    with log.open('w', encoding='utf-8') as out:
        launch = ['setpriv', '--pdeathsig', 'INT', 'ros2', 'launch', 'cell_bringup', 'cell.launch.py']
        cell = subprocess.Popen(
            [*launch, f'state_dir:={options.state_dir}', *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # Otherwise Ctrl-C reaches the nodes directly, before the demo could end its job.
            start_new_session=True,
        )
    try:
        return _run_alongside(cell, options, console, part, began, web_port)
    except CellError as error:
        console.print(f'[red]{error}[/]\nsee the log of the nodes: {escape(_short(log))}')
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(cell, console)


def _run_alongside(
    cell: subprocess.Popen[bytes], options: Options, console: Console, part: str, began: float, web_port: str
) -> int:
    """Wait until the cell is ready, run the demo, then wait for the end of the cell.

    Raises:
        CellError: The cell did not get ready, or has exited.
    """
    with connected() as client:
        wait_until_ready(client)
        console.print(f'[green]cell ready[/] after {time.monotonic() - began:.1f} s')
        if client.status is not None:
            console.print(status_table(client.status))
        if options.demo:
            _run_demo_jobs(client, console, part)
    console.print(f'operator page: [bold]http://localhost:{web_port}[/]   (Ctrl-C stops the cell)')
    code = cell.wait()
    if code:
        raise CellError(f'The cell exited unexpectedly with code {code}.')
    return 0


def _run_demo_jobs(client: CellClient, console: Console, part: str) -> None:
    """Run a pick job and a weigh job, and compare the ledger with the pieces that were taken out.

    Raises:
        CellError: A job was refused, or the ledger does not agree.
    """
    # Twice as many: some simulated pieces are wrong or unreadable and go to the reject tray.
    before = ensure_stock(client, console, part, PIECES * 2)
    job = run_pick_job(client, console, part, PIECES)
    bags = run_weigh_job(client, console, STATION, TARGET_KG, BAGS, BAGS_S)
    out = job.placed + job.rejected
    client.wait_for(lambda: client.stock_of(part) == before - out, 5, f'book the {out} pieces that the robot took out')
    console.print(summary_table(job, StockCounts(before, before - out), bags))


def _photo_arguments(options: Options) -> tuple[list[str], str]:
    """Write the catalogue of the photographs; return launch arguments and the part of the demo."""
    assert options.photos is not None
    folder = options.photos.resolve()
    catalogue = photo_catalogue(folder)
    path = options.state_dir / 'photo_parts.yaml'
    path.write_text(yaml.safe_dump(catalogue, sort_keys=False), encoding='utf-8')
    first = str(catalogue['parts'][0]['part_number'])  # type: ignore[index]
    database = options.state_dir / 'photos.db'
    # A database of its own: the photographs' parts are not those of the cell.
    return [f'catalogue_file:={path}', 'scene:=photos', f'folder:={folder}', f'database_url:=sqlite:///{database}'], first


def _stop(cell: subprocess.Popen[bytes], console: Console) -> None:
    """Stop the cell as Ctrl-C would; kill it if that takes longer than STOP_S."""
    if cell.poll() is None:
        console.print('stopping the cell')
        cell.send_signal(signal.SIGINT)
        try:
            cell.wait(STOP_S)
        except subprocess.TimeoutExpired:
            # Nodes that hang are in the same session, so none survives.
            os.killpg(cell.pid, signal.SIGKILL)


def _interrupt(_number: int, _frame: object) -> None:
    """Handle the signal like Ctrl-C, so that the cell is stopped."""
    raise KeyboardInterrupt


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
