"""Decides from the stream of frames whether a part came into view after the pick of this very piece was commanded.

A camera may freeze, lag, repeat a frame or return old buffers, and its frames are stamped when they are received. Therefore a
frame counts as evidence only by its content: the view was seen empty, then a part came into view after the command, it stands
still, and it is not a view that was seen before the command. Frames are compared as small gray thumbnails, so a copy that was
compressed again is still a copy.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from cell_common.time import NS_PER_S
from numpy.typing import NDArray

__all__ = ['ArrivalWatch', 'Evidence', 'NotStillError', 'Pick', 'View']

Thumbnail = NDArray[np.uint8]
"""Gray, shape (height, width)."""

FOREIGN_LEVEL = 14
"""Gray levels by which a cell differs from the empty view."""
STILL_LEVEL = 8
"""Gray levels by which a cell has changed from frame to frame."""
STILL_SHARE = 0.01
"""Share of changed cells up to which a view stands still."""
SAME_LEVEL = 6
"""Gray levels of a cell; compression at any usual quality changes an average over a cell by less."""
SAME_SHARE = 0.03
"""Share of differing cells, of those with the part, up to which two views are the same frame."""
GAIN_LIMITS = (0.7, 1.4)
"""Range in which a difference in exposure is compensated."""
DAYLIGHT_GAIN = 0.02
"""Share by which each empty frame moves the empty view, so that it follows the daylight."""
EMPTY_REGION_SHARE, UNCHANGED = 0.25, 0.05
"""Share of changed cells up to which a region looks as in the empty view, and up to which print in it is the fixture's."""
FROZEN = 'the camera repeats the same picture: switch it off and on, and check its connection'
REPEATED = (
    'the camera shows the picture of an earlier piece again: its stream is late or its driver returns old pictures; use a '
    'stream with low latency, or switch the camera off and on'
)
STAYED = 'the part in view was there before the pick: the picture is old, or the view was not empty between two pieces'
NEVER_EMPTY = (
    'the view was not seen empty before this part: check that no part is left in view. If the camera or the light was moved, '
    'clear the view and call camera/learn_background'
)
LEARN_NS = 2 * NS_PER_S
LEARN_FRAMES = 5
# Half a minute at 30 frames a second, if each of them differs from the one before.
MOST_SCENES = 1000
MOST_VIEWS = 300


class View(enum.Enum):
    """Content of a frame."""

    EMPTY = 'empty'
    PART = 'part'
    UNSURE = 'unsure'
    """Too little differs from the empty view to be a part, or the empty view is not known."""


class NotStillError(Exception):
    """The empty view cannot be learned now; the text has the cause and the remedy."""


@dataclass(frozen=True)
class Pick:
    """The pick whose piece is to be read; times in nanoseconds.

    Attributes:
        picked_ns: When the robot was commanded to show the piece.
        newer_than_ns: Only later frames count.
        shown_ns: When the robot reported that it shows the piece; 0 = unknown, as after a pause in
            which it may have been exchanged.
    """

    picked_ns: int
    newer_than_ns: int
    shown_ns: int = 0


@dataclass(frozen=True)
class Evidence:
    """Whether the newest frame is evidence for a piece.

    Attributes:
        counts: Whether it is.
        message: Why it does not count, and the remedy.
        stood_ns: When the part was first seen to stand still.
    """

    counts: bool
    message: str = ''
    stood_ns: int = 0


@dataclass
class _Scene:
    """Consecutive frames that show the same."""

    first_ns: int
    last_ns: int
    thumbnail: Thumbnail
    view: View
    count: int = 1


@dataclass
class _KnownView:
    """A view that stood still."""

    first_ns: int
    thumbnail: Thumbnail
    part: NDArray[np.bool_]
    """Cells that differ from the empty view."""


@dataclass
class ArrivalWatch:
    """History of the views of one camera.

    Frames are kept as thumbnails of a few thousand cells, so hundreds of views fit into some
    megabytes. Used by one thread; time is an argument.

    Attributes:
        least_share: Least share of the frame that a part covers, 0..1.
        background: The empty view, float32, shape of the thumbnails; None = not learned yet.
        late_ns: Measured delay of the frames, nanoseconds.
    """

    least_share: float
    background: NDArray[np.float32] | None = None
    late_ns: int = 0
    _scenes: deque[_Scene] = field(default_factory=lambda: deque(maxlen=MOST_SCENES))
    _known: deque[_KnownView] = field(default_factory=lambda: deque(maxlen=MOST_VIEWS))
    _last: tuple[int, int] = (0, 0)
    """Time and fingerprint of the last frame."""
    _changed_ns: int = 0

    def add(self, stamp_ns: int, thumbnail: Thumbnail, fingerprint: int) -> None:
        """Add a frame.

        Args:
            stamp_ns: When it was taken or received, nanoseconds; never earlier than the one before.
            thumbnail: The frame.
            fingerprint: Equal for equal frames; a frozen camera repeats it.
        """
        if fingerprint != self._last[1]:
            self._changed_ns = stamp_ns
        self._last = stamp_ns, fingerprint
        if self.background is not None and self.background.shape != thumbnail.shape:
            self.forget()
        view = self.view_of(thumbnail)
        scene = self._scenes[-1] if self._scenes else None
        if scene is None or scene.view is not view or not is_still(scene.thumbnail, thumbnail):
            self._scenes.append(_Scene(stamp_ns, stamp_ns, thumbnail, view))
        else:
            scene.last_ns, scene.count = stamp_ns, scene.count + 1
            # A view is known from its second frame on: a part in motion gives many views that
            # never come back.
            if scene.count == 2 and view is not View.EMPTY:
                self._known.append(_KnownView(scene.first_ns, thumbnail, self._foreign(thumbnail)))
        # Only empty frames move the empty view; a part that stays would otherwise become part of
        # it.
        if view is View.EMPTY and self.background is not None:
            self.background = self.background + DAYLIGHT_GAIN * (thumbnail - self.background)

    def view_of(self, thumbnail: Thumbnail) -> View:
        """Return the content of a frame.

        Args:
            thumbnail: Frame of the size of the empty view. Between half of `least_share` and
                `least_share` it is UNSURE.
        """
        if self.background is None:
            return View.UNSURE
        share = float(np.mean(self._foreign(thumbnail)))
        return View.PART if share >= self.least_share else View.EMPTY if share < self.least_share / 2 else View.UNSURE

    def learn(self, now_ns: int) -> NDArray[np.float32]:
        """Take the view of the last two seconds as the empty one, and return it.

        Args:
            now_ns: Time, nanoseconds.

        Raises:
            NotStillError: There are too few frames, or the view moved.
        """
        scene = self._scenes[-1] if self._scenes else None
        if scene is None or now_ns - scene.last_ns > LEARN_NS:
            raise NotStillError('no pictures are received: check the camera, then try again')
        if scene.count < LEARN_FRAMES or scene.last_ns - scene.first_ns < LEARN_NS // 2:
            raise NotStillError('the view moves: remove the part, stand clear, wait two seconds and try again')
        self._set_background(scene.thumbnail)
        self.late_ns = 0
        assert self.background is not None
        return self.background

    def forget(self) -> None:
        """Forget everything, as after a change of the camera's image size."""
        self.background, self.late_ns = None, 0
        self._scenes.clear()
        self._known.clear()

    def alive(self, after_ns: int) -> bool:
        """Return whether a frame that differs from its predecessor was received after a time.

        Args:
            after_ns: Time, nanoseconds. The noise of a live sensor makes every frame differ.
        """
        return self._changed_ns > after_ns

    def evidence(self, pick: Pick) -> Evidence:
        """Return whether the newest frame is evidence for the piece of a pick.

        Args:
            pick: Times of the pick. Each condition answers one fault of cameras: a view that was
                empty before (a part left behind), a part that came after the command (a late
                stream), a view not seen before it (old buffers), and a changing frame (a frozen
                camera).
        """
        if not self._scenes or self._last[0] <= pick.newer_than_ns:
            return Evidence(False, 'no new picture was received: check the camera')
        if self.background is None:
            self._assume_background(pick.picked_ns)
        came, reason = self._arrival(pick.picked_ns)
        if reason:
            return Evidence(False, reason if self.alive(pick.picked_ns) else FROZEN)
        scene = self._scenes[-1]
        if scene.view is not View.PART or scene.count < 2:
            return Evidence(False, 'the part in view does not stand still, or is too small')
        if self._seen_before(scene.thumbnail, pick.picked_ns):
            return Evidence(False, REPEATED)
        if not pick.shown_ns and not (
            self._changed_ns > pick.newer_than_ns and scene.last_ns > pick.newer_than_ns + self.late_ns
        ):
            return Evidence(False, FROZEN)
        stood = next((item.first_ns for item in self._since(came) if item.view is View.PART and item.count > 1), came)
        return Evidence(True, stood_ns=stood)

    def is_region_empty(self, thumbnail: Thumbnail, polygon: Iterable[tuple[float, float]], *, unchanged: bool = False) -> bool:
        """Return whether a region of a frame looks as in the empty view.

        Args:
            thumbnail: The frame.
            polygon: Corners as shares of its width and height.
            unchanged: Nearly every cell must look the same, as for a text of the fixture: faint print of
                a part changes few cells by little.
        """
        if self.background is None or self.background.shape != thumbnail.shape:
            return False
        high, wide = thumbnail.shape
        corners = list(polygon)
        columns, rows = [max(0, int(x * wide)) for x, _ in corners], [max(0, int(y * high)) for _, y in corners]
        place = (slice(min(rows), max(rows) + 1), slice(min(columns), max(columns) + 1))
        # The exposure is compensated: a camera that adapts to a bright part changes every cell.
        here = _difference(thumbnail, self.background)[place]
        level, share = (STILL_LEVEL, UNCHANGED) if unchanged else (FOREIGN_LEVEL, EMPTY_REGION_SHARE)
        return bool(here.size) and float(np.mean(here > level)) < share

    def _arrival(self, picked_ns: int) -> tuple[int, str]:
        """Return when the part in view came into view, and "" or why that is no evidence."""
        first: _Scene | None = None
        for scene in reversed(self._scenes):
            if scene.view is View.EMPTY:
                if first is None:
                    return 0, 'no part came into view after the pick: check the gripper, and that the camera sees the part'
                return (first.first_ns, '') if first.first_ns > picked_ns else (0, STAYED)
            first = scene
        return 0, NEVER_EMPTY

    def _since(self, first_ns: int) -> Sequence[_Scene]:
        return [scene for scene in self._scenes if scene.first_ns >= first_ns]

    def _seen_before(self, thumbnail: Thumbnail, picked_ns: int) -> bool:
        part = self._foreign(thumbnail)
        return any(
            known.first_ns <= picked_ns and is_same_frame(thumbnail, known.thumbnail, part | known.part)
            for known in self._known
        )

    def _foreign(self, thumbnail: Thumbnail) -> NDArray[np.bool_]:
        """Return the cells that differ from the empty view; all while that is not known."""
        if self.background is None:
            return np.ones(thumbnail.shape, np.bool_)
        return _difference(thumbnail, self.background) > FOREIGN_LEVEL

    def _assume_background(self, picked_ns: int) -> None:
        """Before the first pick the gripper is empty: take the view at its command as the empty one."""
        before = [scene for scene in self._scenes if scene.first_ns <= picked_ns and scene.count > 1]
        if before and before[-1].last_ns > picked_ns - NS_PER_S:
            self._set_background(before[-1].thumbnail)

    def _set_background(self, thumbnail: Thumbnail) -> None:
        """Replace the empty view, and judge the history again by the new one."""
        self.background = thumbnail.astype(np.float32)
        for scene in self._scenes:
            scene.view = self.view_of(scene.thumbnail)
        # Views that were taken for parts may be the new empty view.
        kept = [known for known in self._known if self.view_of(known.thumbnail) is not View.EMPTY]
        self._known.clear()
        self._known.extend(_KnownView(known.first_ns, known.thumbnail, self._foreign(known.thumbnail)) for known in kept)


def is_still(before: Thumbnail, after: Thumbnail) -> bool:
    """Return whether two consecutive frames show the same.

    Args:
        before: Thumbnail.
        after: The next one; another size counts as a change.
    """
    return before.shape == after.shape and bool(np.mean(_difference(after, before) > STILL_LEVEL) < STILL_SHARE)


def is_same_frame(one: Thumbnail, other: Thumbnail, part: NDArray[np.bool_]) -> bool:
    """Return whether two frames are the same but for their compression.

    Args:
        one: A frame.
        other: Another one of the same size.
        part: Cells that one of them shows a part in; only these are compared, as a clock in the frame may run.
    """
    differs = np.abs(one.astype(np.int16) - other)[part]
    return not differs.size or float(np.mean(differs > SAME_LEVEL)) < SAME_SHARE


def _difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the absolute difference of two frames, after the exposure of the second is fitted to the first."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    # The median belongs to the ground, which covers most of the frame; the +1 avoids a division
    # by zero.
    gain = (float(np.median(first)) + 1.0) / (float(np.median(second)) + 1.0)
    return np.abs(first - min(max(gain, GAIN_LIMITS[0]), GAIN_LIMITS[1]) * second)
