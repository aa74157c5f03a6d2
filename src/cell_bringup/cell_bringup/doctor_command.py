"""`cell doctor`: checks of the whole cell, or of the weigh side only; as a table or JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from rich.console import Console

from cell_bringup.client import CellClient
from cell_bringup.doctor import print_findings, run_checks
from cell_bringup.doctor_cell import run_cell_checks
from cell_bringup.doctor_cell_probe import gather_cell
from cell_bringup.doctor_facts import Finding
from cell_bringup.doctor_probe import gather

__all__ = ['as_json', 'run_doctor']


def run_doctor(client: CellClient, options: argparse.Namespace, console: Console) -> int:
    """Run the checks and print them; return 1 if one is not ok.

    Args:
        client: Client of the cell.
        options: `namespace`, `what` ("cell" or "weighing") and `json`.
        console: Output.
    """
    facts = gather(client)
    findings = run_checks(facts)
    if options.what == 'cell':
        findings = run_cell_checks(gather_cell(client, options.namespace, facts.gateway)) + findings
    if not options.json:
        return print_findings(findings, console)
    console.print_json(json.dumps(as_json(findings)))
    return 0 if all(finding.ok for _, finding in findings) else 1


def as_json(findings: Sequence[tuple[str, Finding]]) -> dict[str, object]:
    """Return the findings as JSON values.

    Args:
        findings: Name of the check, and its result.
    """
    states = {True: 'ok', False: 'not ok'}
    lines = [{'check': name, 'state': 'not checked' if f.skipped else states[f.ok], 'text': f.text} for name, f in findings]
    return {'ok': all(finding.ok for _, finding in findings), 'checks': lines}
