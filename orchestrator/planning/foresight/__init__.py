"""Foresight: what earlier runs teach, and what a plan's run comes to in virtual time.

learning      the journal of an earlier run, folded into what it teaches
experiencing  what all of them teach together; presuming: what stands in before there are any
shortening    the run's own brain over devices that take as long as others took
imagining     one campaign of such a run, from its start to its end
foreseeing    many of them, and what they have in common
supposing     the same plan with something changed
rehearsing    a whole run over the simulated world, every read and proof included
"""
