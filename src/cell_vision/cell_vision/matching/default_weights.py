"""The weights of the matcher that come with the package."""

from __future__ import annotations

from importlib import resources

import yaml

from cell_vision.matching.confusions import ConfusionWeights, parse_weights


def load_weights() -> ConfusionWeights:
    """Read data/confusions.yaml of this package.

    Raises:
        ValueError: The file is invalid; a test checks the one that is shipped.
    """
    text = resources.files('cell_vision').joinpath('data/confusions.yaml').read_text(encoding='utf-8')
    return parse_weights(yaml.safe_load(text))
