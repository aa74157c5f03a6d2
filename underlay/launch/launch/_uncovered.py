"""Names that the full launch packages have and these have not."""

from __future__ import annotations

from collections.abc import Callable


def refuse(module: str, *names: str) -> Callable[[str], object]:
    """Return a ``__getattr__`` for a module that says plainly which names are left out.

    Args:
        module: the module's name.
        names: what it lacks.
    """

    def lookup(name: str) -> object:
        if name in names:
            raise ImportError(
                f"'{module}.{name}' is not part of the launch packages that come with this workspace; "
                'launch files that need it run with a full ROS 2 installation'
            )
        raise AttributeError(f"module '{module}' has no attribute '{name}'")

    return lookup
