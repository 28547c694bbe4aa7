"""Turn events into what a person reads: the same events always give the same report.

summary     the mirror of a run: a fold with parts of its own (course, timeline, lanes, holds)
telling     one sentence an event; wording, standing: how things are called
foreseen    the plan's forecast against what came of it; contrasting: one run against another
tables      the summary as text; page: as one file for a browser, with plots
exports     JSON, CSV, Markdown and JUnit
notices     what people are told while a run goes on
"""
