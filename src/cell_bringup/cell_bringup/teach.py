"""`cell robot teach`: walks through the places of the recipe while an operator moves the arm by hand.

The screen shows where the arm is and whether its pose may be taken as the current place; one key takes it.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence

from cell_common.qos import events
from cell_robot.motion import quaternion_to_vector
from geometry_msgs.msg import PoseStamped
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from sensor_msgs.msg import JointState

from cell_bringup.client import ANSWER_S, CellClient, CellError
from cell_bringup.keys import END, Keys, terminal_keys
from cell_interfaces.msg import PreflightCheck, TaughtPlace
from cell_interfaces.srv import GetPlaces, InjectFault, SetFreedrive, TeachPlace

CHECK_PERIOD_S = 1.0
FREEDRIVE_S, RENEW_S = 30.0, 10.0
"""Freedrive ends this long after the last renewal: a closed terminal leaves no arm that gives way."""
POLL_S = 0.2
HELP = 't: take   f: freedrive on or off   n: next   b: back   g: guide (simulated arm)   q: quit'
STILL_S = 8.0


class TeachScreen:
    """State of the walk through the places."""

    def __init__(self, client: CellClient, places: Sequence[TaughtPlace], first: int) -> None:
        """Subscribe to the arm's place.

        Args:
            client: Client of the cell.
            places: All places, in order.
            first: Index of the first one.
        """
        self._client, self.places, self._index = client, list(places), first
        self._joints: JointState | None = None
        self._pose: PoseStamped | None = None
        self._checks: list[PreflightCheck] = []
        self._checked_at = self._renewed_at = float('-inf')
        self.message, self.freedrive = '', False
        self._may_be_on = False
        """Freedrive was asked for, and it was not confirmed since that it is off."""
        client.node.create_subscription(JointState, 'joint_states', self._on_joints, events(10))
        client.node.create_subscription(PoseStamped, 'robot/tool_pose', self._on_pose, events(10))

    @property
    def place(self) -> TaughtPlace:
        """Current place."""
        return self.places[self._index]

    def update(self, now: float) -> None:
        """Check the present pose and renew freedrive when it is time; `now` in seconds of a monotonic clock."""
        if self.freedrive and now - self._renewed_at > RENEW_S:
            self._switch(True)
        if now - self._checked_at > CHECK_PERIOD_S:
            self._checked_at = now
            answer = self._take(check_only=True)
            self._checks = list(answer.checks) or [PreflightCheck(name='pose', ok=not answer.code, message=answer.message)]

    def handle(self, key: str) -> bool:
        """Act on a key; returns False at the end."""
        if key == END:
            if self._may_be_on:
                self._switch(False)
            return False
        if key == 'f':
            self._switch(not self.freedrive)
        elif key in ('n', 'b'):
            self._go(1 if key == 'n' else -1)
        elif key == 'g':
            self._guide()
        elif key == 't':
            self.take()
        return True

    def take(self) -> bool:
        """Take the present pose; goes on to the next place that is not taught. Returns whether it was taken."""
        answer = self._take(check_only=False)
        self.message, self._checks = answer.message, list(answer.checks)
        if answer.code:
            return False
        self.places[self._index] = answer.taught
        left = [index for index, place in enumerate(self.places) if not place.taught]
        self._index = next((index for index in left if index > self._index), left[0] if left else self._index)
        self._checked_at = float('-inf')
        return True

    def view(self) -> Group:
        """Return the screen."""
        place, untaught = self.place, sum(not other.taught for other in self.places)
        head = Table(box=None, show_header=False)
        head.add_row('place', Text(f'{self._index + 1} of {len(self.places)}: {place.name}', style='bold'))
        head.add_row('', escape(place.description))
        head.add_row('recipe', Text(place.value or 'not taught yet', style='green' if place.taught else 'yellow'))
        head.add_row('joints', self._joints_text())
        head.add_row('tool', self._tool_text())
        head.add_row('freedrive', Text('on: hold the arm', style='bold yellow') if self.freedrive else Text('off'))
        for check in self._checks:
            head.add_row(
                Text('ok' if check.ok else 'no', style='green' if check.ok else 'red'), f'{check.name}: {check.message}'
            )
        left = f'{untaught} places are not taught yet.' if untaught else 'All places are taught.'
        return Group(head, Text(self.message), Text(left), Text(HELP, style='dim'))

    def _take(self, *, check_only: bool) -> TeachPlace.Response:
        request = TeachPlace.Request(command=self._client.command(), place=self.place.name, check_only=check_only)
        return _ask(self._client, request)

    def _switch(self, on: bool) -> None:
        request = SetFreedrive.Request(command=self._client.command(), on=on, seconds=FREEDRIVE_S)
        self._may_be_on = self._may_be_on or on
        try:
            answer = self._client.call(SetFreedrive, 'robot/teaching/freedrive', request)
            self.freedrive, self.message = on, answer.message
            self._may_be_on = on
        except CellError as error:
            self.freedrive, self.message = False, str(error)
        self._renewed_at = time.monotonic()

    def _go(self, steps: int) -> None:
        self._index = (self._index + steps) % len(self.places)
        self.message, self._checked_at = '', float('-inf')

    def _guide(self) -> None:
        """Let the simulated person move the arm, and wait until it stands."""
        request = InjectFault.Request(device='guide', fault=self.place.name)
        try:
            self.message = self._client.call(InjectFault, 'sim/fault', request).message
            self._client.wait_for(self._stands, STILL_S, 'bring the arm to rest')
        except CellError as error:
            self.message = str(error)
        self._checked_at = float('-inf')

    def _stands(self) -> bool:
        before = self._joints
        began = time.monotonic()
        while time.monotonic() - began < 2.0 * POLL_S or self._joints is before:
            time.sleep(POLL_S / 2.0)
            if time.monotonic() - began > STILL_S:
                return True
        after = self._joints
        assert after is not None
        return before is not None and max(
            abs(one - other) for one, other in zip(before.position, after.position, strict=True)
        ) < math.radians(0.01)

    def _joints_text(self) -> str:
        if self._joints is None:
            return 'no data'
        return '  '.join(f'{math.degrees(angle):.2f}' for angle in self._joints.position) + ' deg'

    def _tool_text(self) -> str:
        if self._pose is None:
            return 'no data'
        place, turn = self._pose.pose.position, self._pose.pose.orientation
        vector = quaternion_to_vector(turn.x, turn.y, turn.z, turn.w)
        position = '  '.join(f'{1e3 * value:.1f}' for value in (place.x, place.y, place.z))
        return f'{position} mm, rotation vector {"  ".join(f"{value:.4f}" for value in vector)} rad'

    def _on_joints(self, message: JointState) -> None:
        self._joints = message

    def _on_pose(self, message: PoseStamped) -> None:
        self._pose = message


def _ask(client: CellClient, request: TeachPlace.Request) -> TeachPlace.Response:
    """Call the service; a refusal is an answer with its checks, too."""
    service = client.node.create_client(TeachPlace, 'robot/teaching/take')
    client.wait_for(service.service_is_ready, ANSWER_S, 'offer robot/teaching/take (is the robot node running?)')
    answer = service.call_async(request)
    client.wait_for(answer.done, ANSWER_S, 'answer robot/teaching/take')
    response: TeachPlace.Response = answer.result()
    return response


def places_table(places: Sequence[TaughtPlace]) -> Table:
    """Return all places as a table."""
    table = Table('', 'place', 'what', 'value', box=None)
    for place in places:
        mark = Text('ok', style='green') if place.taught else Text('-', style='yellow')
        table.add_row(mark, *map(escape, (place.name, place.description, place.value or 'not taught yet')))
    return table


def teach(client: CellClient, console: Console, options: argparse.Namespace) -> None:
    """Run `cell robot teach`.

    Raises:
        CellError: The cell refused or did not answer; the text says what to do.
    """
    answer = client.call(GetPlaces, 'robot/teaching/get', GetPlaces.Request())
    places = list(answer.places)
    if options.list:
        console.print(places_table(places))
        return
    names = [place.name for place in places]
    if options.place and options.place not in names:
        raise CellError(f'The recipe has no place {options.place}. List them: cell robot teach --list')
    first = names.index(options.place) if options.place else next((i for i, p in enumerate(places) if not p.taught), 0)
    screen = TeachScreen(client, places, first)
    if options.take:
        taken = screen.take()
        if not taken:
            raise CellError(screen.message)
        console.print(escape(screen.message))
        return
    console.print(f'recipe: {escape(answer.recipe_file)} on the machine of the robot node')
    with terminal_keys() as keys:
        walk(screen, keys, console)
    console.print(places_table(screen.places))


def walk(screen: TeachScreen, keys: Keys, console: Console) -> None:
    """Show the screen and act on keys until the end.

    Args:
        screen: The walk.
        keys: Source of keys.
        console: Output.
    """
    with Live(screen.view(), console=console, refresh_per_second=4, transient=console.is_terminal) as live:
        going = True
        while going:
            going = screen.handle(keys.poll(POLL_S))
            if going:
                screen.update(time.monotonic())
            live.update(screen.view())
