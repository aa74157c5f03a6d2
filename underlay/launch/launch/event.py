"""Base of all events."""


class Event:
    """Something that happened in a launched system; handlers may answer it with actions."""

    name = 'launch.Event'
