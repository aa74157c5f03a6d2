from __future__ import annotations

import pytest
from cell_web.origins import host_allowed, host_of, origin_allowed


@pytest.mark.parametrize(
    ('authority', 'host'),
    [
        ('Cell7:8080', 'cell7'),
        ('[::1]:8080', '::1'),
        ('10.0.0.5', '10.0.0.5'),
        ('[::1', ''),
        ('', ''),
    ],
)
def test_the_host_is_found_in_an_authority(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize('authority', ['127.0.0.1:8080', '[::1]:8080', 'localhost', 'CELL7:8080'])
def test_addresses_and_own_names_are_hosts(authority: str) -> None:
    assert host_allowed(authority, ['cell7'])


@pytest.mark.parametrize('authority', ['evil.example', 'cell7.evil.example', ''])
def test_foreign_names_are_not(authority: str) -> None:
    assert not host_allowed(authority, ['cell7'])


@pytest.mark.parametrize('origin', [None, 'http://cell7:8080', 'https://cell7:8080', 'https://plant.example'])
def test_own_page_listed_pages_and_programs_may_connect(origin: str | None) -> None:
    assert origin_allowed(origin, 'cell7:8080', ['https://plant.example'])


@pytest.mark.parametrize('listed', ['http://plant:5000/', 'HTTP://Plant:5000', ' http://plant:5000 '])
def test_a_listed_page_may_be_written_in_other_ways(listed: str) -> None:
    assert origin_allowed('http://plant:5000', 'cell7:5001', [listed])
    assert not origin_allowed('http://plant:5001', 'cell7:5001', [listed])


def test_the_port_of_a_scheme_may_be_written_or_not() -> None:
    assert origin_allowed('http://plant', 'cell7:5001', ['http://plant:80'])
    assert origin_allowed('https://plant', 'cell7:5001', ['https://plant:443/'])
    assert not origin_allowed('http://plant', 'cell7:5001', ['http://plant:443'])


@pytest.mark.parametrize(
    'origin',
    ['http://evil.example', 'http://cell7', 'null', '', 'file://', 'http://cell7:8080.evil', 'http://[', 'http://[::1', '//['],
)
def test_other_pages_may_not(origin: str) -> None:
    assert not origin_allowed(origin, 'cell7:8080', [])
