"""Adds the evidence of several frames of one part: frames that are alike count once.

Frames of the same print share its wear and its typeface, so their errors are not independent. The scores of each frame say how
far it is alike to another one: equal scores are the same evidence again, scores that differ are evidence of their own.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ['add_frames', 'independent_frames']

UNLIKE = 2.0
"""Frames whose scores differ by so much count as half alike, nats."""


def add_frames(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores of all frames together: the mean, with the distance to the best one for each independent frame.

    Args:
        scores: Log likelihoods, shape (frames, numbers).

    Returns:
        Shape (numbers,); does not depend on the order of the frames. The best number has its mean score, so a text that no
        number fits is not made likelier by reading it often.
    """
    if len(scores) == 1:
        return np.asarray(scores[0], np.float64)
    # In an order of their own, because sums of floats depend on it.
    scores = scores[np.lexsort(scores.T)]
    mean = scores.mean(0)
    best = float(mean.max())
    return np.asarray(best + independent_frames(scores) * (mean - best), np.float64)


def independent_frames(scores: NDArray[np.float64]) -> float:
    """Return the number of independent frames to which the frames amount, from 1 to their number.

    Args:
        scores: As above; each frame's own level does not matter.
    """
    mean = scores.mean(0)
    near = scores[:, mean > scores.min() + 1e-9]
    if not near.shape[1]:
        return 1.0
    margins = near - near[:, [int(near.mean(0).argmax())]]
    differ = np.sqrt(((margins[:, None, :] - margins[None, :, :]) ** 2).mean(2))
    alike = 1.0 / (1.0 + differ / UNLIKE)
    # Variance of a mean of correlated values: (sum of the correlations) / n^2 instead of 1 / n.
    return float(len(scores) ** 2 / alike.sum())
