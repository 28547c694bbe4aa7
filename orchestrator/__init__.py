"""Bulk maintenance for fleets of CPEs behind a TR-069 controller.

The rooms, from the ground up; each may use only what stands below it.

model       the words: frozen data, standard library only
playbook    the language: YAML text becomes the model, errors say where and what was meant
engine      the brain: decides what may happen next, and never waits for anything
simulator   the model world: devices that boot, vanish and flap
report      the mirror: events become a summary, tables and a timeline
planning    the foresight: freezes a device set and forecasts a run in virtual time
ports       the sockets: what the hands promise
adapters    the hands: one technology per file, and an in-memory twin of every port
runtime     the heart: takes decisions, records, believes, performs
bootstrap   the door: the only module that knows every room
planner     the drawing board: plans made, foreseen, kept in files, made again after a run
restorer    the way back: what a run changed, how to put it back, what deviates from a wanted state
switchboard the hand on the switch: orders and questions to a run, whether it is driven or not
cli         the command line
"""

__version__ = "0.5.0"
