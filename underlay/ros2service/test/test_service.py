"""ros2 service."""

import pytest
from std_srvs.srv import SetBool


@pytest.fixture
def switch(graph):
    """A service that answers with the value of the request."""

    def answer(request, response):
        response.success = request.data
        response.message = 'done'
        return response

    return graph.node.create_service(SetBool, 'switch', answer)


def test_services_are_listed_with_their_types(switch, ros2):
    assert '/cell/switch\n' in ros2.until('/cell/switch', 'service', 'list')
    assert '/cell/switch [std_srvs/srv/SetBool]\n' in ros2.until('/cell/switch', 'service', 'list', '-t')


def test_services_are_counted(switch, ros2):
    ros2.until_true(lambda out: int(out) > 0, 'service', 'list', '-c')


def test_a_call_prints_request_and_response(switch, ros2):
    code, out = ros2('service', 'call', '/cell/switch', 'std_srvs/srv/SetBool', '{data: true}')
    assert code is None
    assert out.removeprefix('waiting for service to become available...\n') == (
        'requester: making request: std_srvs.srv.SetBool_Request(data=True)\n\n'
        "response:\nstd_srvs.srv.SetBool_Response(success=True, message='done')\n\n"
    )


def test_a_call_without_values_sends_the_defaults(switch, ros2):
    assert 'success=False' in ros2('service', 'call', '/cell/switch', 'std_srvs/SetBool')[1]


@pytest.mark.parametrize(
    ('argv', 'error'),
    [
        (['std_srvs/srv/Nothing'], 'The passed service type is invalid'),
        (['nowhere/srv/Nothing'], 'The passed service type is invalid'),
        (['std_msgs/msg/String'], 'The passed type is not a service'),
        (['std_srvs/srv/SetBool', '{nothing: 1}'], 'Failed to populate field: '),
        (['std_srvs/srv/SetBool', 'text'], 'Failed to populate field: '),
        (['std_srvs/srv/SetBool', '{}', '-r', '0'], 'rate must be greater than zero'),
    ],
)
def test_a_call_with_a_wrong_type_or_value_is_refused(ros2, argv, error):
    code, out = ros2('service', 'call', '/cell/switch', *argv)
    assert str(code).startswith(error)
    assert not out
