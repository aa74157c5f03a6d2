"""Whether the page asks for a login."""

import pytest
from cell_common.runner import StartError
from cell_web.gateway_login import login_required

LOCAL = ['127.0.0.1', '127.1.2.3', '::1', 'localhost']
NETWORK = ['0.0.0.0', '192.168.1.5', '::', 'cell.plant']


@pytest.mark.parametrize('address', LOCAL)
def test_on_this_machine_only_a_login_is_asked_for_when_wanted(address):
    assert [login_required(login, address) for login in ('network', 'always', 'never')] == [False, True, False]


@pytest.mark.parametrize('address', NETWORK)
def test_a_page_on_the_network_asks_for_a_login_and_cannot_do_without(address):
    assert login_required('network', address) and login_required('always', address)
    with pytest.raises(StartError, match='can be reached from other machines'):
        login_required('never', address)
