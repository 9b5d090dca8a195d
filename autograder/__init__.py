"""The autograder of CS 5814, homework 3, part 3: a conditional variational autoencoder.

Light on purpose: the sandboxed worker imports this package too, so nothing here may import torch.
"""

__version__ = "1.0.0"
