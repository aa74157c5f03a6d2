"""Grabs frames from a camera that serves JPEGs over HTTP; the bytes of a frame are passed on unchanged."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
import urllib3
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from cell_vision.camera.camera_clock import timestamp_of
from cell_vision.camera.jpeg import is_complete
from cell_vision.camera.mjpeg import MultipartError, MultipartReader, StreamFrame, boundary_of
from cell_vision.camera.source import SourceError

CHUNK = 65_536
MOST_CHUNKS = 256
"""Limit of the chunks read in one call, so that a camera that sends without a pause does not block the thread."""


class HttpGrabber:
    """An MJPEG stream, or a snapshot address that is requested for each frame.

    The kind is decided by the Content-Type of the first response. The password appears in no
    message: errors name host and port only.
    """

    def __init__(self, url: str, stall_timeout: float) -> None:
        """Store the address; `open` connects.

        Args:
            url: http:// or https:// address; its user name and password are used for Basic or Digest authentication.
            stall_timeout: Seconds without a complete frame after which the stream is lost.
        """
        parts = urlsplit(url)
        self._url = urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, parts.query, ''))
        self._host = f'{parts.hostname}:{parts.port or (443 if parts.scheme == "https" else 80)}'
        self._user, self._password = unquote(parts.username or ''), unquote(parts.password or '')
        self._stall_timeout = stall_timeout
        self._session = requests.Session()
        self._session.trust_env = False  # No proxy, and no password from ~/.netrc, for a camera in the cell's network.
        self._stream: requests.Response | None = None
        self._reader: MultipartReader | None = None
        # One frame: of several that arrived together only the newest counts.
        self._ready: deque[StreamFrame] = deque(maxlen=1)
        self._taken: float | None = None

    def open(self) -> None:
        """Connect.

        Raises:
            SourceError: The camera cannot be reached or does not serve JPEGs.
        """
        try:
            response = self._request()
            content_type = response.headers.get('Content-Type', '')
            if content_type.lower().startswith('image/jpeg'):
                self._ready.append(_snapshot(response))
            else:
                self._stream, self._reader = response, MultipartReader(boundary_of(content_type))
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise SourceError(f'no answer from {self._host}: {_cause(error)}') from error
        except MultipartError as error:
            raise SourceError(str(error)) from error

    def grab(self) -> None:
        """Wait for the next frame.

        Raises:
            SourceError: The stream ended, stalled or is damaged.
        """
        deadline = time.monotonic() + self._stall_timeout
        try:
            while not self._ready:
                if time.monotonic() > deadline:
                    raise SourceError(f'no complete frame received for {self._stall_timeout:g} s')
                self._receive()
            self._drain()
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            raise SourceError(f'no data received for {self._stall_timeout:g} s') from error
        except (OSError, urllib3.exceptions.HTTPError, MultipartError, ValueError) as error:
            raise SourceError(f'the stream broke: {_cause(error)}') from error

    def retrieve(self) -> bytes:
        """Return the frame for which `grab` waited, JPEG.

        Only after a successful `grab`.
        """
        frame = self._ready.pop()
        self._taken = frame.taken
        return frame.jpeg

    def taken(self) -> float | None:
        """Return the camera's time of the frame that `retrieve` returned, seconds; None when it has no clock."""
        return self._taken

    def close(self) -> None:
        """Disconnect."""
        if self._stream is not None:
            self._stream.close()
        self._session.close()

    def _receive(self) -> None:
        """Read the data that has arrived, or request one snapshot.

        Raises:
            SourceError: The camera ended the stream, or refuses the request.
            requests.RequestException: The network failed, or no data arrived in time.
        """
        if self._stream is None or self._reader is None:
            frame = _snapshot(self._request())
            if is_complete(frame.jpeg):
                self._ready.append(frame)
            return
        data = self._stream.raw.read1(CHUNK)
        if not data:
            raise SourceError('the camera ended the stream')
        self._ready.extend(self._reader.feed(data))

    def _drain(self) -> None:
        """Read all pending data and keep the newest frame: a slow node must not fall behind the camera."""
        for _ in range(MOST_CHUNKS):
            if self._stream is None or self._stream.raw.closed or not select.select([self._stream.raw], [], [], 0)[0]:
                return
            self._receive()

    def _request(self) -> requests.Response:
        """Return the response to a GET, headers received, with the authentication that the camera asks for.

        The password is sent only after the challenge (RFC 9110, section 11): in the clear only if the camera wants Basic.

        Raises:
            SourceError: The camera responds with another status than 200, or wants an authentication that is not known.
            requests.RequestException: The network failed, or no answer arrived in time.
        """
        response = self._get()
        # Once: a second 401 means that the password is wrong, and cameras lock an account after
        # several attempts.
        if response.status_code == requests.codes.unauthorized and self._user and self._session.auth is None:
            self._session.auth = self._authentication(response.headers.get('WWW-Authenticate', ''))
            response.close()
            response = self._get()
        if response.status_code != requests.codes.ok:
            response.close()
            raise SourceError(f'the camera responds {response.status_code} {response.reason}')
        return response

    def _get(self) -> requests.Response:
        return self._session.get(self._url, stream=True, timeout=self._stall_timeout)

    def _authentication(self, challenge: str) -> AuthBase:
        kind = HTTPDigestAuth if 'digest' in challenge.lower() else HTTPBasicAuth
        return kind(self._user, self._password)


def _snapshot(response: requests.Response) -> StreamFrame:
    return StreamFrame(response.content, timestamp_of({name.lower(): value for name, value in response.headers.items()}))


def _cause(error: BaseException) -> str:
    """Return the text of the operating system's error behind an error of a library, if there is one."""
    for cause in _chain(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(error) or type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
