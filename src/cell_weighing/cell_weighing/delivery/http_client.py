"""HTTP client for the web application."""

from __future__ import annotations

import threading

import requests

from cell_weighing.delivery.policy import DeliveryItem, HttpResult

TIMEOUT_S = 10.0
LONGEST_BODY = 65_536


class HttpPoster:
    """Posts bags; each thread reuses its own connection.

    `requests.Session` is not documented as thread-safe, hence one per thread.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_S) -> None:
        """Store the address.

        Args:
            url: Address of the web application.
            timeout: Seconds without a response after which a request has failed.
        """
        self._url = url
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
            Status and at most 64 kB of the body; status 0 with an error when there was no response.
            Never raises.
        """
        headers = {'Authorization': f'Bearer {key}', 'Idempotency-Key': item.reading_id, 'Accept': 'application/json'}
        try:
            with self._session().post(
                self._url, data=item.fields, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                body = response.raw.read(LONGEST_BODY, decode_content=True).decode('utf-8', 'replace')
                return HttpResult(response.status_code, body, retry_after=response.headers.get('Retry-After', ''))
        except (requests.RequestException, OSError) as error:
            return HttpResult(0, error=_message(error))
        except Exception as error:  # urllib3 raises its own errors while the body is read
            return HttpResult(0, error=type(error).__name__)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, 'session', None)
        if session is None:
            session = self._local.session = requests.Session()
            # No proxy and no .netrc of the environment: a .netrc entry would replace the
            # Authorization header.
            session.trust_env = False
        return session


def _message(error: Exception) -> str:
    """Return a short cause; the texts of requests are long and may contain the request."""
    if isinstance(error, requests.Timeout):
        return 'no answer in time'
    if isinstance(error, requests.exceptions.SSLError):
        return 'its certificate is not accepted'
    if isinstance(error, requests.ConnectionError):
        return 'no connection'
    return type(error).__name__
