"""Read a camera that serves JPEGs over HTTP; the picture's bytes are handed on as they came."""

from __future__ import annotations

import base64
import http.client
import select
import time
from collections import deque
from urllib.parse import SplitResult, unquote, urlsplit

from cell_vision.camera.jpeg import is_complete
from cell_vision.camera.mjpeg import MultipartError, MultipartReader, boundary_of
from cell_vision.camera.source import SourceError

CHUNK = 65_536
MOST_CHUNKS = 256
"""Taken at once; a camera that sends without end must not keep the thread."""


class HttpGrabber:
    """An MJPEG stream, or a snapshot address that is asked again for each frame."""

    def __init__(self, url: str, stall_timeout: float) -> None:
        """Prepare to read.

        Args:
            url: http:// or https:// address; user name and password in it are sent as HTTP Basic authentication.
            stall_timeout: Seconds without a picture after which the stream is taken for lost.
        """
        self._url = urlsplit(url)
        self._stall = stall_timeout
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        self._reader: MultipartReader | None = None
        self._ready: deque[bytes] = deque(maxlen=1)

    def open(self) -> None:
        """Connect.

        Raises:
            SourceError: The camera cannot be reached or does not serve pictures.
        """
        try:
            self._response = self._request()
            kind = self._response.getheader('Content-Type', '')
            if kind.lower().startswith('image/jpeg'):
                self._ready.append(self._response.read())
            else:
                self._reader = MultipartReader(boundary_of(kind))
        except (OSError, http.client.HTTPException) as problem:
            raise SourceError(f'no answer from {self._url.hostname}:{self._url.port or 80}: {_why(problem)}') from problem
        except MultipartError as problem:
            raise SourceError(str(problem)) from problem

    def grab(self) -> None:
        """Wait for the next picture.

        Raises:
            SourceError: The stream ended, stalled or is damaged.
        """
        until = time.monotonic() + self._stall
        try:
            while not self._ready:
                if time.monotonic() > until:
                    raise SourceError(f'no whole picture came for {self._stall:g} s')
                self._more()
            self._drain()
        except TimeoutError as problem:
            raise SourceError(f'nothing came for {self._stall:g} s') from problem
        except (OSError, http.client.HTTPException, MultipartError, ValueError) as problem:
            raise SourceError(f'the stream broke: {_why(problem)}') from problem

    def retrieve(self) -> bytes:
        """Return the picture that was waited for, JPEG."""
        return self._ready.pop()

    def close(self) -> None:
        """Disconnect."""
        if self._response is not None:
            self._response.close()
        if self._connection is not None:
            self._connection.close()

    def _more(self) -> None:
        if self._reader is None:
            picture = self._request().read()
            if is_complete(picture):
                self._ready.append(picture)
            return
        assert self._response is not None
        data = self._response.read1(CHUNK)
        if not data:
            raise SourceError('the camera ended the stream')
        self._ready.extend(self._reader.feed(data))

    def _drain(self) -> None:
        """Take what else has come and keep the newest picture: a node that lags behind must not read a queue of old ones."""
        for _ in range(MOST_CHUNKS):
            response = self._response
            if self._reader is None or response is None or response.closed or not select.select([response], [], [], 0)[0]:
                return
            self._more()

    def _request(self) -> http.client.HTTPResponse:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._url.scheme == 'https' else http.client.HTTPConnection
            self._connection = kind(self._url.hostname or '', self._url.port, timeout=self._stall)
        path = self._url.path or '/'
        self._connection.request('GET', f'{path}?{self._url.query}' if self._url.query else path, headers=_headers(self._url))
        response = self._connection.getresponse()
        if response.status != http.client.OK:
            raise SourceError(f'the camera answers {response.status} {response.reason}')
        return response


def _headers(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    pair = f'{unquote(url.username)}:{unquote(url.password or "")}'
    return {'Authorization': 'Basic ' + base64.b64encode(pair.encode()).decode()}


def _why(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem) or type(problem).__name__
