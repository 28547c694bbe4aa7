"""Records: which are chosen, what holds for them, and how they are read.

selecting  which records a selection chooses, and why not the others
matching   does a record satisfy a condition
grouping   which devices count together under a limit `max_down_per`
paging     what the pages of a listing add up to
watching   how often waiting devices are read, and by which requests
"""
