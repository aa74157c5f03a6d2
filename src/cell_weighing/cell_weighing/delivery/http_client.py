"""HTTP client for the web application: certificate authority, proxy, and one request for each bag.

`open_session` makes every session to the web application, for the delivery and for checks of it alike.
"""

from __future__ import annotations

import codecs
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from cell_weighing.delivery.policy import DeliveryItem, HttpResult

# Also long enough for a web application that starts with the first request.
TIMEOUT_S = 10.0
# Some applications answer with their whole job or the picture of a label. An answer that is cut is none, so the bag would be
# posted for ever.
LONGEST_BODY = 4 << 20
LONGEST_READ_S = 30.0
"""Time for a whole body: a server that sends a byte now and then would hold up its station for hours."""


class HttpRouteError(ValueError):
    """The certificate file or the proxy cannot be used; the text says why and contains no secret."""


@dataclass(frozen=True)
class HttpRoute:
    """Certificate authority and proxy of the requests to the web application."""

    ca_file: str = ''
    """PEM file of the accepted certificate authorities; "" = the public ones."""
    proxy: str = field(default='', repr=False)
    """URL of the proxy, with user and password if it needs them; "" = none."""

    def check(self) -> None:
        """Raise an HttpRouteError unless the file can be read and the proxy is an address."""
        if self.ca_file:
            try:
                ssl.create_default_context(cafile=self.ca_file)
            except (OSError, ValueError) as error:  # an SSLError is an OSError
                reason = 'it has no certificate in PEM form' if isinstance(error, ssl.SSLError) else error
                raise HttpRouteError(f'cannot use the certificates of {self.ca_file}: {reason}') from None
        if self.proxy:
            try:
                address = urlsplit(self.proxy)
                usable = address.scheme in ('http', 'https') and address.hostname and address.port
            except ValueError:
                usable = False
            if not usable:
                raise HttpRouteError('the proxy must be a URL with a port, such as http://proxy.plant.example:3128')


def open_session(route: HttpRoute) -> requests.Session:
    """Return a session that uses this authority and this proxy, and no setting of the environment."""
    session = requests.Session()
    # No proxy and no .netrc of the environment: a .netrc entry would replace the Authorization header.
    session.trust_env = False
    session.verify = route.ca_file or True
    session.proxies = {'http': route.proxy, 'https': route.proxy} if route.proxy else {}
    return session


def describe_error(error: Exception) -> str:
    """Return a short cause with its remedy; the texts of requests are long and may contain the request."""
    if isinstance(error, requests.Timeout):
        return 'no answer in time'
    if isinstance(error, requests.exceptions.SSLError):
        return 'its certificate is not accepted: set parameter ca_file to the certificate of its authority'
    if isinstance(error, requests.exceptions.ProxyError):
        return 'no connection through the proxy: check parameter proxy'
    if isinstance(error, requests.ConnectionError):
        return 'no connection'
    return type(error).__name__


class HttpPoster:
    """Posts bags; each thread reuses its own connection.

    `requests.Session` is not documented as thread-safe, hence one per thread.
    """

    def __init__(
        self, url: str, timeout: float = TIMEOUT_S, route: HttpRoute | None = None, longest_read: float = LONGEST_READ_S
    ) -> None:
        """Store address and route.

        Args:
            url: Address of the web application.
            timeout: Seconds without a response after which a request has failed.
            route: Certificate authority and proxy; None = public authorities, no proxy.
            longest_read: Seconds for a whole body.
        """
        self._longest_read = longest_read
        self._url = url
        self._route = route or HttpRoute()
        self._timeout = timeout
        self._local = threading.local()

    def post(self, item: DeliveryItem, key: str) -> HttpResult:
        """Post a bag as form fields with a bearer token; errors are part of the result.

        Redirects are not followed: they would turn the POST into a GET, or send the key to another
        host.

        Args:
            item: Bag; its reading id is the idempotency key.
            key: API key; it appears in no result and no error.

        Returns:
            Status and at most `LONGEST_BODY` bytes of the body; status 0 with an error when there was no
            response. Never raises.
        """
        headers = {'Authorization': f'Bearer {key}', 'Idempotency-Key': item.reading_id, 'Accept': 'application/json'}
        try:
            with self._session().post(
                self._url, data=item.fields, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                data = _read_body(response.raw, time.monotonic() + self._longest_read)
                if response.status_code < 200:
                    # The final answer comes later on this connection, and would be taken for that to the next bag.
                    self._drop_session()
                body = data.decode(_charset(response.headers), 'replace')
                return HttpResult(response.status_code, body, retry_after=_retry_after(response.headers))
        except (requests.RequestException, OSError) as error:
            return HttpResult(0, error=describe_error(error))
        except Exception as error:  # urllib3 raises its own errors while the body is read
            return HttpResult(0, error=type(error).__name__)

    def _drop_session(self) -> None:
        self._session().close()
        self._local.session = None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, 'session', None)
        if session is None:
            session = self._local.session = open_session(self._route)
        return session


def _read_body(raw: Any, deadline: float) -> bytes:
    """Return the decoded body, cut at `LONGEST_BODY`: a wrong address may serve an endless one.

    Args:
        raw: Response of urllib3 whose header has been read.
        deadline: Monotonic clock, seconds.

    Raises:
        requests.Timeout: The body is not complete at the deadline.
    """
    # Before release 2.2 urllib3 has no read1, and a slow body has no deadline.
    if not hasattr(raw, 'read1'):
        return bytes(raw.read(LONGEST_BODY, decode_content=True))
    data = b''
    while len(data) < LONGEST_BODY and (part := raw.read1(LONGEST_BODY - len(data), decode_content=True)):
        data += part
        if time.monotonic() > deadline:
            raise requests.Timeout
    return data


def _charset(headers: Mapping[str, str]) -> str:
    """Return the character set that a response names, UTF-8 if it names none that is known."""
    parsed = Message()
    parsed['Content-Type'] = headers.get('Content-Type', '')
    try:
        return codecs.lookup(parsed.get_content_charset('utf-8')).name
    except LookupError:
        return 'utf-8'


def _retry_after(headers: Mapping[str, str]) -> str:
    """Return the header Retry-After in seconds; its other form is a date, here compared with the server's own clock."""
    value = headers.get('Retry-After', '')
    if not value or value.isdigit():
        return value
    try:
        now = parsedate_to_datetime(headers['Date']).timestamp() if 'Date' in headers else time.time()
        return str(max(0, round(parsedate_to_datetime(value).timestamp() - now)))
    except (TypeError, ValueError, OverflowError):
        return ''
