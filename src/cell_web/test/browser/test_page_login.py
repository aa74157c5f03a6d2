"""The login of the page, in a browser: wrong and right PIN, names at the panel, logout, and a user who is removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_common.testing import NodeGraph, wait_until
from cell_web.gateway_node import GatewayNode
from cell_web.passwords import PasswordHashes
from cell_web.user import User
from cell_web.user_file import UserFile
from page_fixtures import BUILT, NEEDS, ScriptedCell, shoot
from playwright.sync_api import Page, expect

pytestmark = NEEDS
HASH = PasswordHashes(memory_kib=64, passes=1).hash('482915')


@pytest.fixture
def users(tmp_path: Path) -> UserFile:
    return UserFile(tmp_path / 'users.json')


@pytest.fixture
def gateway(graph: NodeGraph, rosbridge: Any, tmp_path: Path, users: UserFile) -> GatewayNode:
    options = {'login': 'always', 'users_file': str(users.path), 'database_url': f'sqlite:///{tmp_path}/cell.db'}
    fixed = {'port': 0, 'rosbridge_port': rosbridge.port, 'hmi_folder': str(BUILT), 'bridge_check_period': 0.0}
    node = graph.add(GatewayNode(**graph.options(**fixed, **options)))
    wait_until(lambda: node.server.state.port)
    assert isinstance(node, GatewayNode)
    return node


@pytest.fixture
def page(cell: ScriptedCell, chromium: Any, gateway: GatewayNode) -> Iterator[Page]:
    context = chromium.new_context(viewport={'width': 412, 'height': 915}, has_touch=True)
    page: Page = context.new_page()
    page.goto(f'http://127.0.0.1:{gateway.server.state.port}/')
    yield page
    context.close()


def tap_pin(page: Page, pin: str) -> None:
    for digit in pin:
        page.get_by_role('button', name=digit, exact=True).tap()
    page.get_by_test_id('login-go').tap()


def test_a_person_logs_in_with_a_pin_and_out_again(page: Page, users: UserFile, cell: ScriptedCell) -> None:
    users.add(User('Ann', 'operator', HASH, 'now'))
    page.get_by_test_id('login-name').fill('ann')
    tap_pin(page, '482916')
    expect(page.get_by_test_id('login-message')).to_contain_text('Name or password is wrong')
    shoot(page, 'login')
    tap_pin(page, '482915')
    name = page.get_by_test_id('operator-name')
    expect(name).to_have_text('Ann')
    name.tap()
    shoot(page, 'logout')
    page.get_by_test_id('logout').tap()
    expect(page.get_by_test_id('login-name')).to_have_value('ann')


def test_the_first_user_is_made_with_the_link_and_a_removed_one_sees_the_login(
    page: Page, users: UserFile, gateway: GatewayNode, cell: ScriptedCell
) -> None:
    expect(page.get_by_text('There is no user yet')).to_be_visible()
    login = gateway.login
    assert login is not None
    page.goto(f'{page.url}{login.routes.first_user_fragment()}')
    page.reload()
    page.get_by_test_id('login-name').fill('Boss')
    page.get_by_test_id('login-password').fill('482915')
    page.get_by_test_id('login-go').tap()
    expect(page.get_by_test_id('operator-name')).to_have_text('Boss')
    assert '#' not in page.url and users.users()[0].role == 'maintainer'
    users.remove('Boss')
    expect(page.get_by_test_id('login-password')).to_be_visible(timeout=20_000)
