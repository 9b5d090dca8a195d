"""Fit a line to points by least squares."""

import torch
from torch import Tensor


def fit(x: Tensor, y: Tensor) -> Tensor:
    """The line that leaves the smallest sum of squared vertical distances.

    Arguments:
        x, y: the points' coordinates, (N,) each.

    Returns:
        the slope and the intercept, (2,).
    """
    ### BEGIN SOLUTION: the slope and the intercept
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx * dy).sum() / (dx * dx).sum()
    return torch.stack((slope, y.mean() - slope * x.mean()))
    ### END SOLUTION
