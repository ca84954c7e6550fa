"""The place of the checkout that is tested."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder with the Makefile."""
