"""The `cell` command.

Imports are inside the branches: `cell job` must not load an image library, and `cell report` must not start a node.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from cell_bringup.audit_arguments import add_audit, add_figures
from cell_bringup.bag_arguments import add_bag
from cell_bringup.care_arguments import add_care
from cell_bringup.history_arguments import add_history, add_report
from cell_bringup.models_arguments import add_models
from cell_bringup.state_folder import find_state
from cell_bringup.user_arguments import add_token, add_user
from cell_bringup.weighing_arguments import add_scale, add_weigh, with_action
from cell_bringup.workflow_arguments import add_workflow


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command line."""
    top = argparse.ArgumentParser(prog='cell', description='Operate and check the cell from a terminal.')
    top.add_argument('--version', action='version', version=f'%(prog)s {version("cell_bringup")}')
    top.add_argument('--namespace', default='cell', help='namespace of the cell (default: cell)')
    commands = top.add_subparsers(dest='command', required=True)
    job = commands.add_parser('job', help='run a pick job and show its progress')
    job.add_argument('part_number')
    job.add_argument('quantity', type=int, help='pieces')
    add_weigh(commands.add_parser('weigh', help='start, end, reopen and list weigh jobs; void and look up bags'))
    add_scale(commands.add_parser('scale', help='find out the format of an indicator'))
    add_report(commands.add_parser('report', help='write the report of a shift, a pick job or a weigh job (HTML and CSV)'))
    add_models(commands.add_parser)
    add_workflow(
        commands.add_parser('workflow', help='read a part, compare it with a benchmark, trigger a hub; exit code 1 = no match')
    )
    add_token(commands.add_parser('token', help='create, list or revoke tokens of programs that post bags or use the gateway'))
    add_user(commands.add_parser('user', help='add, change, list or remove the people who may log in on the page'))
    add_care(commands.add_parser)
    add_figures(commands.add_parser('figures', help='OEE, first-read rate, cycle times, stops and rejects of the pick jobs'))
    add_catalogue(commands.add_parser('catalogue', help='check the part catalogue; try it on pictures'))
    add_robot(commands.add_parser('robot', help='show the robot state; recover it; move the simulated arm and inject faults'))
    benchmarks = commands.add_parser('benchmarks', help='list the reference readings of known-good parts')
    benchmarks.add_argument('part_number', nargs='?', default='', help='show every version of this part')
    stock = commands.add_parser('stock', help='import counts from a file like inventory.json, or export them')
    stock.add_argument('action', choices=['import', 'export'])
    stock.add_argument('file', type=Path)
    stock.add_argument('--check', action='store_true', help='import: show the changes, book nothing')
    add_bag(commands.add_parser('bag', help='look into a recording, replay it, and compare decisions'))
    add_audit(commands.add_parser('audit', help='show who commanded what, refused commands included; as a table or CSV'))
    add_history(commands.add_parser('history', help='ask about any piece, job, bag, alarm, command or stock entry'))
    commands.add_parser('status', help='show the state of every subsystem')
    run = commands.add_parser(
        'run',
        help='start the cell with simulated devices and run a demo',
        epilog='Further name:=value arguments go to cell.launch.py.',
    )
    run.add_argument('--demo', choices=['job', 'none'], default='job')
    run.add_argument('--photos', type=Path, help='folder of photographs with truth.json, shown by the simulated camera')
    run.add_argument(
        '--state-dir', type=Path, default=Path('state'), help='folder of the database and the log (default: ./state)'
    )
    run.add_argument('launch_arguments', nargs='*', metavar='name:=value')
    return top


def add_catalogue(catalogue: argparse.ArgumentParser) -> None:
    """Add the actions of `cell catalogue`."""
    what = catalogue.add_subparsers(dest='action', required=True)
    check = what.add_parser('lint', help='name numbers that cannot be told apart or need a second look, and what would help')
    trial = what.add_parser('try', help='read pictures and show how each part of the catalogue is recognized')
    trial.add_argument('source', help='folder of pictures, or a camera (index, device path, URL)')
    export = what.add_parser('export', help='write the catalogue as a table for spreadsheets (.csv) or as YAML')
    export.add_argument('file', type=Path, help='parts.csv or parts.yaml')
    load = what.add_parser('import', help='replace the catalogue file by a table or YAML file, after all checks')
    load.add_argument('file', type=Path, help='parts.csv or parts.yaml')
    load.add_argument('--check', action='store_true', help='only show what would change')
    for action in (check, trial, export, load):
        action.add_argument('--catalogue', type=Path, default=Path('config/parts.yaml'), help='default: config/parts.yaml')
        action.add_argument('--json', action='store_true', help='JSON for machines')


def add_robot(robot: argparse.ArgumentParser) -> None:
    """Add the actions of `cell robot`."""
    what = robot.add_subparsers(dest='what', required=True)
    what.add_parser('state', help='show the state and the pre-flight checks')
    what.add_parser('moves', help='list the named poses')
    move = what.add_parser('move', help='move the simulated arm to a named pose')
    move.add_argument('pose')
    teach = what.add_parser('teach', help='teach the places of the recipe one by one, from where the arm stands')
    teach.add_argument('place', nargs='?', default='', help='begin with this place (default: the first one that is not taught)')
    teach.add_argument('--list', action='store_true', help='list the places and end')
    teach.add_argument('--take', action='store_true', help='take the present pose as the named place and end')
    recipe = what.add_parser('new-recipe', help='write a recipe in which no place is taught yet; needs no running cell')
    recipe.add_argument('file', type=Path)
    recipe.add_argument('--model', default='ur5e', help='arm model (default: ur5e)')
    recipe.add_argument('--tool-length', type=float, default=150.0, help='mm from the flange to the tool center point')
    recipe.add_argument('--payload', type=float, default=1.0, help='kg, gripper and heaviest piece (default: 1)')
    recipe.add_argument(
        '--catalogue', type=Path, default=Path('config/parts.yaml'), help='its parts (default: config/parts.yaml)'
    )
    recipe.add_argument('--trays', type=int, default=1, help='trays, which all parts share (default: 1)')
    recipe.add_argument('--rows', type=int, default=1, help='rows of slots of a tray (default: 1)')
    recipe.add_argument('--columns', type=int, default=1, help='slots of a row (default: 1)')
    guide = what.add_parser('guide', help='let the simulated person guide the arm to a place by hand; freedrive must be on')
    guide.add_argument('place')
    recover = what.add_parser('recover', help='recover the robot after a stop, step by step')
    recover.add_argument('--yes', action='store_true', help='do not ask: the cause is fixed and the area is clear')
    fault = what.add_parser('fault', help='inject a fault into the simulated robot; an unknown name lists the faults')
    fault.add_argument('fault')
    fault.add_argument('value', nargs='?', type=float, default=0.0, help='count or seconds (default: that of the fault)')
    fault.add_argument('--device', default='ur', help='ur (the controller) or robot (the letters program); default: ur')


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code."""
    sys.exit(run_command(parser().parse_args(with_action(sys.argv[1:] if arguments is None else arguments)), Console()))


def run_command(options: argparse.Namespace, console: Console) -> int:
    """Run a parsed command line and return the exit code.

    Args:
        options: Of `parser`.
        console: Output, for errors as well.

    Returns:
        0 = done, 1 = the cell refused or a check failed, 2 = wrong use.
    """
    code = _run_without_ros(options, console)
    return _run_in_graph(options, console) if code is None else code


def _run_without_ros(options: argparse.Namespace, console: Console) -> int | None:
    """Run a command that needs no node; return its exit code, None for every other command."""
    if options.command == 'run':
        from cell_bringup import demo

        wanted = demo.Options(
            options.demo != 'none', options.photos, options.state_dir.resolve(), tuple(options.launch_arguments)
        )
        return demo.run(wanted, console)
    if options.command == 'report':
        from cell_bringup.reports import write_any_report

        return write_any_report(options, console)
    if work := _work_of(options):
        return work(options, console)
    if options.command == 'workflow':
        from cell_bringup.workflow import run_workflow

        return run_workflow(options, console)
    if options.command == 'scale':
        from cell_bringup.scale_trial import try_scale as try_or_work
    elif options.command == 'token':
        from cell_bringup.tokens import work_with_tokens

        def try_or_work(options: argparse.Namespace, console: Console) -> int:
            path = options.file or find_state(options.namespace).tokens
            return work_with_tokens(options, path, console)
    elif options.command == 'user':
        from cell_bringup.users import work_with_users

        def try_or_work(options: argparse.Namespace, console: Console) -> int:
            path = options.file or find_state(options.namespace).users
            name, role = getattr(options, 'name', ''), getattr(options, 'role', '')
            return work_with_users(options.action, name, role, path, console)
    else:
        return None
    return try_or_work(options, console)


def _work_of(options: argparse.Namespace) -> Callable[[argparse.Namespace, Console], int] | None:
    """Return the function of a command that works on files or the database; None for every other command."""
    if options.command == 'bag':
        from cell_bringup.bag import work_with_bag as work
    elif options.command == 'audit':
        from cell_bringup.audit import show_audit as work
    elif options.command == 'history':
        from cell_bringup.history import ask_history as work
    elif options.command == 'backup':
        from cell_bringup.backup import run_backup as work
    elif options.command == 'restore':
        from cell_bringup.backup import run_restore as work
    elif options.command == 'version':
        from cell_bringup.versions import show_versions as work
    elif options.command == 'logs':
        from cell_bringup.logs import show_logs as work
    elif options.command == 'figures':
        from cell_bringup.figures import show_figures as work
    elif options.command == 'models':
        from cell_bringup.models import work_with_models as work
    elif options.command == 'catalogue':
        from cell_bringup.catalogue import work_with_catalogue as work
    elif getattr(options, 'what', '') == 'new-recipe':
        from cell_bringup.teach_recipe import write_new_recipe as work
    else:
        return None
    return work


def _run_in_graph(options: argparse.Namespace, console: Console) -> int:
    """Run a command that talks to the nodes and return the exit code."""
    from cell_bringup.client import connected
    from cell_bringup.jobs import exit_code_of, run_pick_job, wait_until_ready
    from cell_bringup.terminal_views import status_table

    with connected(options.namespace) as client:
        if options.command == 'doctor':
            from cell_bringup.doctor_command import run_doctor

            return run_doctor(client, options, console)

        def work() -> None:
            if options.command == 'status':
                status = client.wait_for(lambda: client.status, 5, 'publish its status (is it running?)')
                console.print(status_table(status))
                return
            if options.command == 'benchmarks':
                from cell_bringup.benchmarks import show_benchmarks

                show_benchmarks(client, console, options.part_number)
                return
            if options.command == 'stock':
                from cell_bringup.stock import export_stock, import_stock

                if options.action == 'import':
                    import_stock(client, console, options.file, check=options.check)
                else:
                    export_stock(client, console, options.file)
                return
            if options.command == 'robot':
                from cell_bringup.robot import work_with_robot

                work_with_robot(client, console, options)
                return
            if options.command == 'weigh':
                from cell_bringup.weighing import work_with_weighing

                work_with_weighing(client, console, options)
                return
            wait_until_ready(client, 10)
            job = run_pick_job(client, console, options.part_number, options.quantity)
            console.print(f'{job.placed} placed, {job.rejected} rejected')

        return exit_code_of(console, work)
