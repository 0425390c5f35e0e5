"""Objects of PyNN, of whatever backend, as the canonical graph."""
