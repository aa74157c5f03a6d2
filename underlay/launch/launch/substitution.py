"""Base of all substitutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Substitution:
    """A text that is known only while launching."""

    def describe(self) -> str:
        """Return a description for ``ros2 launch --print-description``."""
        return repr(self)

    def perform(self, context: LaunchContext) -> str:
        """Return the text in this context."""
        raise NotImplementedError(f'{type(self).__name__}.perform()')
