#!/usr/bin/env python3
"""Write API pages from the docstrings of all packages to build/api/. `make api` calls this."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / 'build' / 'api'


def modules() -> list[str]:
    """Return the packages, and their migrations with an exclamation mark, which excludes them.

    Importing Alembic's migrations outside a migration fails.
    """
    packages = sorted(path.parent.name for path in (ROOT / 'src').glob('*/setup.py'))
    migrations = sorted(f'!{path.parent.name}.migrations' for path in (ROOT / 'src').glob('*/*/migrations'))
    return [*packages, *migrations]


def main() -> int:
    """Run pdoc; return its exit code.

    pdoc imports each module, so the built environment must be sourced.
    """
    options = ['--docformat', 'google', '--output-directory', str(OUTPUT)]
    code = subprocess.run([sys.executable, '-m', 'pdoc', *options, *modules()], check=False).returncode
    if code == 0:
        print(f'{OUTPUT / "index.html"}')
    return code


if __name__ == '__main__':
    sys.exit(main())
