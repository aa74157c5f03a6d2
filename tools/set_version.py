#!/usr/bin/env python3
"""Set the version of all packages:  python tools/set_version.py 0.2.0  (without an argument: that of file VERSION)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = ROOT / 'VERSION'
PATTERNS = {'package.xml': r'(?<=<version>)[^<]+(?=</version>)', 'setup.py': r"(?<=version=')[^']+(?=')"}


def declared() -> dict[Path, str]:
    """Return each package file with the version that it declares, "" if it declares none."""
    found = {}
    for name, pattern in PATTERNS.items():
        for path in [*ROOT.glob(f'src/*/{name}'), *ROOT.glob(f'underlay/*/{name}')]:
            match = re.search(pattern, path.read_text(encoding='utf-8'))
            found[path] = match[0] if match else ''
    return found


def main() -> int:
    """Write the version to VERSION and to each package; return 2 if it is not of the form 1.2.3."""
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION.read_text(encoding='utf-8').strip()
    if not re.fullmatch(r'\d+\.\d+\.\d+', version):
        print(f'"{version}" is no version such as 1.2.3')
        return 2
    VERSION.write_text(version + '\n', encoding='utf-8')
    for path, old in declared().items():
        if old != version:
            text = path.read_text(encoding='utf-8')
            path.write_text(re.sub(PATTERNS[path.name], version, text, count=1), encoding='utf-8')
            print(f'{path.relative_to(ROOT)}: {old} -> {version}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
