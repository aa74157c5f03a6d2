"""State of the cell at the start of a bag that no topic carries: catalogue, parameters, benchmarks, empty view, versions.

It is the content of topic `recording/snapshot`, a std_msgs/String with JSON. Counts and jobs are on topics that keep their last
value (`inventory`, `weighing/job`, `job`); a recorder writes those values at the start of each bag.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ['TOPIC', 'Snapshot', 'SnapshotError', 'StoredBenchmark', 'from_json', 'to_json']

TOPIC = 'recording/snapshot'
FORMAT = 1


class SnapshotError(ValueError):
    """The text is no snapshot that this release understands."""


@dataclass(frozen=True)
class StoredBenchmark:
    """The latest benchmark of a part.

    Attributes:
        part_number: The part.
        version: Counts the benchmarks of the part, from 1.
        texts: All lines read.
        frames: Number of frames from which it was read.
    """

    part_number: str
    version: int
    texts: tuple[str, ...]
    frames: int = 1


@dataclass(frozen=True)
class Snapshot:
    """State at the start of a bag.

    Attributes:
        made_ns: ROS time in nanoseconds.
        namespace: Namespace of the cell, without slashes around it.
        catalogue: Text of the catalogue file.
        parameters: Node -> parameter -> value.
        benchmarks: The latest of each part.
        empty_view: PNG of the learned empty view; b"" = none.
        versions: Program or library -> version.
        missing: What could not be found out, one sentence each.
    """

    made_ns: int
    namespace: str
    catalogue: str = ''
    parameters: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    benchmarks: tuple[StoredBenchmark, ...] = ()
    empty_view: bytes = b''
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def to_json(snapshot: Snapshot) -> str:
    """Return a snapshot as text; equal snapshots give equal texts."""
    values = {
        'format': FORMAT,
        'made_ns': snapshot.made_ns,
        'namespace': snapshot.namespace,
        'catalogue': snapshot.catalogue,
        'parameters': snapshot.parameters,
        'benchmarks': [vars(item) for item in snapshot.benchmarks],
        'empty_view': base64.b64encode(snapshot.empty_view).decode(),
        'versions': snapshot.versions,
        'missing': snapshot.missing,
    }
    return json.dumps(values, sort_keys=True)


def from_json(text: str) -> Snapshot:
    """Return the snapshot of a text.

    Raises:
        SnapshotError: It is none, or of a newer release.
    """
    try:
        values: dict[str, Any] = json.loads(text)
        if int(values['format']) > FORMAT:
            raise SnapshotError(f'the snapshot has format {values["format"]}, and this release knows {FORMAT}: use a newer one')
        return Snapshot(
            made_ns=int(values['made_ns']),
            namespace=str(values['namespace']),
            catalogue=str(values.get('catalogue', '')),
            parameters={str(node): dict(known) for node, known in values.get('parameters', {}).items()},
            benchmarks=tuple(
                StoredBenchmark(str(item['part_number']), int(item['version']), tuple(item['texts']), int(item['frames']))
                for item in values.get('benchmarks', ())
            ),
            empty_view=base64.b64decode(values.get('empty_view', ''), validate=True),
            versions=dict(values.get('versions', {})),
            missing=tuple(values.get('missing', ())),
        )
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f'the text is not a snapshot of the cell: {error!r}') from error
