"""Result codes for modules of rules, which import no generated messages.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum

__all__ = ['ErrorCode']


class ErrorCode(enum.IntEnum):
    """The constants of cell_interfaces/msg/ResultCode: same names, same numbers.

    That file says what each code means; `test_error_code.py` keeps the two equal. A member is an int, so it can be assigned to
    the `code` field of a response.
    """

    OK = 0
    EXPIRED = 1
    INVALID_ARGUMENT = 2
    NOT_READY = 3
    TIMED_OUT = 4
    STORAGE_FAILED = 5
    INTERNAL = 6
    NO_FRAME = 100
    ENGINE_FAILED = 101
    BAD_IMAGE = 102
    SOURCE_UNAVAILABLE = 103
    UNKNOWN_READING = 104
    ROBOT_NOT_CONNECTED = 200
    ROBOT_REFUSED = 201
    ROBOT_OUTCOME_UNKNOWN = 202
    ROBOT_BUSY = 203
    UNKNOWN_EVENT = 204
    NOT_SUPPORTED = 205
    ROBOT_STOPPED = 206
    OUT_OF_REACH = 207
    PREFLIGHT_FAILED = 208
    UNKNOWN_PART = 300
    UNKNOWN_TRAY = 301
    NOT_ENOUGH_STOCK = 302
    OVER_CAPACITY = 303
    NOTHING_TO_UNDO = 304
    JOB_ACTIVE = 400
    NO_JOB = 401
    WRONG_STATE = 402
    JOB_CANCELLED = 403
    JOB_FAILED = 404
    NOT_RESOLVED = 405
    WEIGH_JOB_ACTIVE = 500
    NO_WEIGH_JOB = 501
    UNKNOWN_BAG = 502
    NOT_REFUSED = 503
    KEY_REUSED = 504
    UNKNOWN_ALARM = 600
