"""Many devices at once: how many, in which order, when, and until when to go on.

admitting  who may start next under max_down, in flight and the pace
queueing   queues in which whoever is blocked steps aside
pacing     when the next request may leave; slowing down and recovering
sparing    how many devices of a group may be out of service, whoever did it
counting   the census of devices that are Down
budgeting  how many failures a run may cause, and how many devices may be under way for that
waving     one wave after the other: finished, left to soak, judged
asking     what a run asks of people, and what they answered
windowing  when a window is open: wall clocks, changes of the clock, blackouts
zoning     the windows of a run, and who still fits into them
"""
