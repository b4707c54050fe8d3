"""The sealed audit: rows are chained each second, each link is signed, and a signed line of it is kept elsewhere.

content      what of a row is sealed, and how its digest is made
chain        one link: a second of rows of a hospital, hashed, chained and signed
checkpoints  the second place, where a line of every link is kept
sealer       makes links of what was committed, and writes their lines
verifying    compares rows, links and lines, and names the first place that is wrong
"""
