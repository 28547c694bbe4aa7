"""Foresight: what earlier runs teach, and what a plan's run comes to in virtual time.

learning      the journal of an earlier run, folded into what it teaches
experiencing  what all of them teach together; presuming: what stands in before there are any
imagining     one campaign: the run's own brain, devices that take as long as others took
foreseeing    many of them, and what they have in common
supposing     the same plan with something changed
rehearsing    a whole run over the simulated world, every read and proof included
"""
