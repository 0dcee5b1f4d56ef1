"""The parts of the suite, each a function that takes a Report."""
