"""The parts of `tools/build_atlas.py`: they turn named packages into the table of Atlas."""
