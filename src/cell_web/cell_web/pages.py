"""What every answer of the gateway carries, where the built page lies, and what to show when it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

SECURITY_HEADERS: Mapping[str, str] = {
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
FOREVER = 'public, max-age=31536000, immutable'

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Workcell: page not built</title></head>
<body><h1>The operators' page is not built</h1>
<p>The gateway runs, but it found no page to show. In the workspace run</p>
<pre>make setup</pre>
<p>or, for the page alone, in <code>src/cell_web/hmi</code>:</p>
<pre>npm ci &amp;&amp; npm run build</pre>
<p>then load this page again.</p></body></html>
"""


def folder_of(candidates: Iterable[Path]) -> Path | None:
    """Return the first folder that holds a built page."""
    return next((folder for folder in candidates if (folder / 'index.html').is_file()), None)


def file_of(folder: Path, path: str) -> Path | None:
    """Return the file that a URL path names inside a folder; None when there is none or it lies outside."""
    relative = PurePosixPath(path.lstrip('/') or 'index.html')
    if '..' in relative.parts or '\0' in path:
        return None
    file = folder.joinpath(*relative.parts)
    return file if file.is_file() else None


def caching_of(path: str) -> str:
    """Return the Cache-Control of a page file: the build names what lies in assets/ by its content."""
    return FOREVER if path.lstrip('/').startswith('assets/') else REVALIDATE
