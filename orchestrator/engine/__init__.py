"""The brain: pure decisions about a run; no await, clock, chance, disk or network of its own.

selecting    which records a selection chooses, and why not the others
matching     does a record satisfy a condition
paging       what the pages of a listing add up to
guarding     may this device be touched right now
admitting    who may start next under max_down, in flight and the pace
pacing       when the next request may leave; slowing down and recovering
watching     how often waiting devices are read, and by which requests
starting     from a device's turn to its request: fresh record, guard, intention
waiting      when a waiting device is looked at next
proving      what proves that a device came back
doubting     was a request that got no answer applied or not
retrying     how long to wait before the next attempt
reaching     can the controller be used
progressing  one device's walk through the steps, as the fold of its events
concluding   what has happened to a device, given a reading or only the time
deciding     what a decision is
run          the aggregate that ties them: decide, after, observe
"""
