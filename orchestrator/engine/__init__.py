"""The brain: pure decisions about a run; no await, clock, chance, disk or network of its own.

Its rooms, from the ground up; each may use only what stands above it in this list.

choosing     records: what a selection chooses, conditions, groups, how often and how much is read
walking      one device: its steps, the guard, the proof, the doubt, what follows from a reading
rollout      many devices: queues, places, the pace, budgets, waves, windows, who approves

and the run itself, which ties them together:

starting     from a device's turn to its request: taken for the run, fresh record, guard, intention
folding      what a durable event makes of a run
noting       what becomes of what was read
reaching     can the controller be used
pausing      when it cannot: pauses, probes, and when it is given up
ordering     what follows from a person's order
ending       who is not gone on with, and the run's end
explaining   why is this device where it is
run          the aggregate: decide, after, observe, obey
"""
