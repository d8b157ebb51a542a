"""The parts of scripts/zoo.py: which models, what is measured of one, and the table."""
