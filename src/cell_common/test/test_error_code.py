from cell_common.error_code import ErrorCode

from cell_interfaces.msg import ResultCode


def test_names_and_numbers_are_those_of_the_message():
    constants = {
        name: value for name in dir(ResultCode) if name.isupper() and isinstance(value := getattr(ResultCode, name), int)
    }
    assert constants == {code.name: code.value for code in ErrorCode}


def test_a_code_can_be_assigned_to_a_response():
    from cell_interfaces.srv import SetJob

    assert SetJob.Response(code=ErrorCode.NO_JOB).code == ResultCode.NO_JOB
