"""Files of the operator page and the headers of every response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

SECURITY_HEADERS: Mapping[str, str] = {
    # img-src blob: is for crops, which the page receives as bytes over rosbridge.
    'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
}
NO_STORE = 'no-store'
REVALIDATE = 'no-cache'
IMMUTABLE = 'public, max-age=31536000, immutable'

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Workcell: page not built</title></head>
<body><h1>The operator page is not built</h1>
<p>The gateway is running but found no built page. In the workspace, run</p>
<pre>make setup</pre>
<p>or, for the page alone, in <code>src/cell_web/hmi</code>:</p>
<pre>npm ci &amp;&amp; npm run build</pre>
<p>then reload this page.</p></body></html>
"""


def find_page_folder(candidates: Iterable[Path]) -> Path | None:
    """Return the first folder with a built page, or None.

    Args:
        candidates: Folders in order of preference. Called for each request, so a page that is built
            later is found without a restart.
    """
    return next((folder for folder in candidates if (folder / 'index.html').is_file()), None)


def resolve_static_file(folder: Path, path: str) -> Path | None:
    """Return the file of a URL path; None when it does not exist or is outside the folder.

    Args:
        folder: Folder of the built page.
        path: Decoded URL path; "/" is index.html.
    """
    relative = PurePosixPath(path.lstrip('/') or 'index.html')
    # Checked on the parts: aiohttp has decoded the path already, so "%2e%2e" arrives as "..".
    if '..' in relative.parts or '\0' in path:
        return None
    file = folder.joinpath(*relative.parts)
    try:
        return file if file.is_file() else None
    except (OSError, ValueError):  # longer than the file system's names, or characters that it does not take
        return None


def cache_control(path: str) -> str:
    """Return the Cache-Control header of a page file.

    Args:
        path: URL path. Files in assets/ have content hashes in their names and never change; all
            others are revalidated.
    """
    return IMMUTABLE if path.lstrip('/').startswith('assets/') else REVALIDATE
