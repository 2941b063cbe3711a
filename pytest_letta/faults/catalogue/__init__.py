"""The catalogue: each known fault, the contracts that it kills, and the reason that they must give."""
