"""Choosing between the entities that a mention may mean: by the prior, by words, by entities."""
