"""The conditional variational autoencoder of CS 5814, homework 3, part 3."""
