"""RTDE client that owns inputs of the controller: the outputs that the recipe names, and nothing else.

An input belongs to one client at a time. Fieldbuses (EtherNet/IP, PROFINET, Modbus) and URCaps are clients too, so a cell
claims only what it needs, and names what it cannot get.

ur_rtde's own RTDEIOInterface claims all outputs and registers of its range at once, and reports no more than IN_USE when one
is taken. Hence this client. By the RTDE Guide an input is free again once its client's connection is closed.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence

from cell_robot.protocols.rtde.codec import (
    TYPES,
    PacketType,
    RtdeRecipe,
    RtdeValue,
    inputs_request,
    parse_accepted,
    parse_rtde_recipe,
    parse_types,
    version_request,
)
from cell_robot.protocols.rtde.framing import PacketSplitter, RtdeError, RtdeRefusedError

PORT = 30004
# Bounded: this client blocks its thread.
TIMEOUT_S = 3.0
READ_SIZE = 65536
BANKS = ((0, 8, 'standard_digital_output'), (8, 16, 'configurable_digital_output'), (16, 18, 'tool_digital_output'))
"""First pin, end of the pins, RTDE name of the outputs."""
CONTROL_INTS, CONTROL_DOUBLES, UPPER = 8, 18, 24
"""Registers of ur_rtde's control script: the first integers and doubles, or those from UPPER on."""
IN_USE = 'IN_USE'
OWNERS = 'EtherNet/IP, PROFINET, Modbus, a URCap or another RTDE client'


def output_names(pins: Sequence[int]) -> tuple[str, ...]:
    """Return the RTDE inputs that switch digital outputs; pins as in RTDE: 0-7 standard, 8-15 configurable, 16-17 tool."""
    banks = [name for first, end, name in BANKS if any(first <= pin < end for pin in pins)]
    return tuple(name for bank in banks for name in (f'{bank}_mask', bank))


def control_names(*, upper: bool) -> tuple[str, ...]:
    """Return the registers that ur_rtde's control script needs, in its lower or upper range."""
    first = UPPER if upper else 0
    ints = (f'input_int_register_{first + number}' for number in range(CONTROL_INTS))
    return (*ints, *(f'input_double_register_{first + number}' for number in range(CONTROL_DOUBLES)))


def taken_inputs(address: str, pins: Sequence[int], *, upper: bool) -> str:
    """Return which inputs of the cell another client owns, with the remedy; "" when all are free. Nothing stays claimed.

    Args:
        address: Host of the controller.
        pins: Digital outputs of the recipe: 0-7 standard, 8-15 configurable, 16-17 tool.
        upper: ur_rtde uses its upper range of input registers (parameter `rtde_registers`).

    Raises:
        OSError: The controller does not answer.
        RtdeError: Its answer is not RTDE.
    """
    with contextlib.closing(InputClient(address)) as client:
        return client.taken((*output_names(pins), *control_names(upper=upper)))


class InputClient:
    """Connection that claims inputs and writes them; from one thread."""

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            OSError: The controller does not answer.
            RtdeError: It does not speak RTDE.
        """
        # The timeout stays for each read and write: this client blocks its thread.
        self._stream = socket.create_connection((address, PORT), TIMEOUT_S)
        self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._splitter = PacketSplitter()
        try:
            if not parse_accepted(self._request(version_request(), PacketType.VERSION)):
                raise RtdeRefusedError('the controller is too old for RTDE version 2')
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; its inputs are free again."""
        self._stream.close()

    def claim(self, names: Sequence[str]) -> RtdeRecipe:
        """Claim inputs and return their recipe.

        Args:
            names: RTDE input names; all are claimed, or none.

        Raises:
            OSError: The controller does not answer.
            RtdeError: Another client owns one, or the controller does not know it.
        """
        payload = self._request(inputs_request(names), PacketType.INPUTS)
        if message := _taken_message(names, parse_types(payload, names)):
            raise RtdeRefusedError(message)
        return parse_rtde_recipe(payload, names)

    def taken(self, names: Sequence[str]) -> str:
        """Return which inputs another client owns, with the remedy; "" when all are free.

        What is free is then claimed by this connection, until it is closed.

        Args:
            names: RTDE input names.
        """
        return _taken_message(names, parse_types(self._request(inputs_request(names), PacketType.INPUTS), names))

    def write(self, recipe: RtdeRecipe, values: dict[str, RtdeValue]) -> None:
        """Write claimed inputs.

        Args:
            recipe: Result of `claim`.
            values: A value for each of its names.

        Raises:
            OSError: The connection is gone.
        """
        self._stream.sendall(recipe.pack(values))

    def _request(self, request: bytes, kind: PacketType) -> bytes:
        """Return the payload of the answer; texts in between are skipped.

        Raises:
            ConnectionError: The controller closed the connection.
            OSError: No answer within TIMEOUT_S.
            RtdeError: The answer is not RTDE.
        """
        self._stream.sendall(request)
        while True:
            if not (data := self._stream.recv(READ_SIZE)):
                raise ConnectionError('the controller closed the connection')
            for packet in self._splitter.feed(data):
                if packet.kind == kind:
                    return packet.payload


class OutputSwitch:
    """Switches the digital outputs that the recipe names.

    The mask of a bank says which of its bits count, so other outputs keep their state.
    """

    def __init__(self, address: str, pins: Sequence[int], connect: Callable[[str], InputClient] = InputClient) -> None:
        """Claim the outputs.

        Raises:
            OSError: The controller does not answer.
            RtdeError: Another client owns an output.
        """
        self._address, self._names, self._connect = address, output_names(pins), connect
        self._client, self._recipe = self._claim()

    def close(self) -> None:
        """Free the outputs."""
        self._client.close()

    def set_output(self, pin: int, on: bool) -> bool:
        """Switch an output; return False if it was not claimed, or the connection is gone.

        The effect shows in `actual_digital_output_bits`: the first write after a lost connection succeeds without one.

        Args:
            pin: 0-7 standard, 8-15 configurable, 16-17 tool.
            on: State to set.
        """
        bank = next(((first, name) for first, end, name in BANKS if first <= pin < end and name in self._names), None)
        if bank is None:
            return False
        first, name = bank
        # A package holds all claimed banks. A mask of 0 leaves a bank as it is.
        values: dict[str, RtdeValue] = dict.fromkeys(self._names, 0)
        values |= {f'{name}_mask': 1 << pin - first, name: int(on) << pin - first}
        try:
            self._client.write(self._recipe, values)
        except OSError:
            return False
        return True

    def _claim(self) -> tuple[InputClient, RtdeRecipe]:
        """Connect and claim the outputs; a failed claim closes the connection.

        Raises:
            OSError: The controller does not answer.
            RtdeError: Another client owns an output.
        """
        client = self._connect(self._address)
        try:
            return client, client.claim(self._names)
        except (OSError, RtdeError):
            client.close()
            raise


def _taken_message(names: Sequence[str], types: Sequence[str]) -> str:
    """Return which names cannot be used, with the remedy; "" when all can.

    Args:
        names: Requested inputs.
        types: Types of the reply: a data type, IN_USE or NOT_FOUND for each name.
    """
    taken = [name for name, kind in zip(names, types, strict=True) if kind == IN_USE]
    unknown = [name for name, kind in zip(names, types, strict=True) if kind not in TYPES and kind != IN_USE]
    if taken:
        registers = any('register' in name for name in taken)
        advice = 'free them in its settings' + (', or set parameter rtde_registers to the other range' if registers else '')
        return f'another client owns {_short(taken)} ({OWNERS}): {advice}'
    return f'the controller does not know {_short(unknown)}: update its software' if unknown else ''


def _short(names: Sequence[str]) -> str:
    return ', '.join(names[:3]) + (f' and {len(names) - 3} more' if len(names) > 3 else '')
