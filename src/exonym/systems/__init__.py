"""Published systems: one file each, with its paper, its recipes, its controls. No machinery."""
