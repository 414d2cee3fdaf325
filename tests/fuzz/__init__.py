"""Random input, bounded in time and the same each time unless more is asked for: see work.py."""
