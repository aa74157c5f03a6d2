import pytest
from cell_weighing.delivery.error_text import LONGEST, error_message_of
from cell_weighing.delivery.policy import HttpResult, explain

NGINX = '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body><center><h1>404 Not Found</h1></center></body></html>'
DEBUG = (
    '<!DOCTYPE html><html><head><style>body { color: red }</style><script>var a = "<b>";</script></head>'
    '<body><p>Unknown&nbsp;unit &quot;stone&quot;</p></body>'
)


@pytest.mark.parametrize(
    ('body', 'words'),
    [
        (NGINX, '404 Not Found'),
        (DEBUG, 'Unknown unit "stone"'),
        ('<title> </title>no title', 'no title'),
        ('{"message": "No active job.", "errors": {"station": ["x"]}}', 'No active job'),
        ('{"errors": {"unit": ["The selected unit is invalid."]}}', 'The selected unit is invalid'),
        ('{"error": {"code": 7, "message": "no such scale"}}', 'no such scale'),
        ('{"detail": [{"msg": "too heavy"}]}', 'too heavy'),
        ('{"message": "<b>bad</b> unit"}', 'bad unit'),
        ('"plain"', 'plain'),
        ('{"id": 7}', ''),
        ('7', ''),
        ('', ''),
        ('  \n', ''),
        ('weight\x00 \x1b[31mis\x9b red\u202e\r\nhere', 'weight [31mis red here'),
        ('1 < 2 and 3 > 2', '1 < 2 and 3 > 2'),
        ('<p>cut off <scr', 'cut off'),
        ('<script>never ends', ''),
        ('{"a": ' * 50_000, None),
        ('[' * 50_000, None),
    ],
)
def test_a_servers_own_message_is_found(body, words):
    assert error_message_of(body) == words if words is not None else len(error_message_of(body)) <= LONGEST


@pytest.mark.parametrize('body', ['long words ' * 40, 'x' * 65_536, '<a' * 30_000, '<!--' * 16_000, '<title>' * 9000])
def test_it_is_one_short_line_whatever_comes(body):
    words = error_message_of(body)
    assert len(words) <= LONGEST and '\n' not in words


def test_a_refusal_is_a_sentence_that_says_what_to_do():
    received = explain(HttpResult(422, '{"message": "The application does not know this station."}'), 'http://x')
    assert received == (
        'The web application rejected this bag (HTTP 422: The application does not know this station): '
        'correct the cause in the web application, then send it again.'
    )
    assert explain(HttpResult(404, NGINX), 'http://x') == (
        'The web application rejected this bag (HTTP 404: Not Found): check site_url, controller and function, '
        'then send it again.'
    )
    assert len(explain(HttpResult(404, 'x' * 999), 'http://x')) <= 200, 'it fits the ledger and the page whole'


def test_a_server_error_is_explained_without_its_page():
    assert explain(HttpResult(502, NGINX.replace('404 Not Found', '502 Bad Gateway')), 'http://x') == (
        'http://x failed (HTTP 502: Bad Gateway)'
    )
    assert explain(HttpResult(500), 'http://x') == 'http://x failed (HTTP 500)'
