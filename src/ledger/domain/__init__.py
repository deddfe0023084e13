"""What may happen to an incident, and what follows from it: no I/O, no clock, no randomness."""
