"""How well texts are linked: on Atlas and on pages of Wikipedia, by language."""
