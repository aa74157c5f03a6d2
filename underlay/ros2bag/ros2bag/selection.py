"""Which topics of a graph are recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """A choice of topics by their full names.

    Attributes:
        topics: Always recorded, even if excluded below.
        everything: Record all topics.
        regex: Record topics that contain a match; "" = none.
        exclude_regex: Leave out topics that contain a match; "" = none.
        exclude_topics: Leave these out.
        hidden: Include topics with a part that begins with "_".
    """

    topics: frozenset[str] = frozenset()
    everything: bool = False
    regex: str = ''
    exclude_regex: str = ''
    exclude_topics: frozenset[str] = frozenset()
    hidden: bool = False

    def wants(self, topic: str) -> bool:
        """Return whether a topic is to be recorded."""
        if topic in self.topics:
            return True
        if topic in self.exclude_topics or (self.exclude_regex and re.search(self.exclude_regex, topic)):
            return False
        if not self.hidden and any(part.startswith('_') for part in topic.split('/')):
            return False
        return self.everything or bool(self.regex and re.search(self.regex, topic))
