"""How faithful the wikitext scanner is: an oracle, and what it is compared with.

Nothing here imports the scanner's own modules to decide anything; only titles are normalised by
`SiteInfo`, which both share.
"""
