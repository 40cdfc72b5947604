"""What `tools/atlas_experiments.py` runs: worlds, variants of a recipe, tables and plots."""
