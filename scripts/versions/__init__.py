"""The parts of scripts/test_versions.py."""
