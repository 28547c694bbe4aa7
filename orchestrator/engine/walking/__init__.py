"""One device's walk through its steps.

progressing  its state, as the fold of its events
advancing    what a durable event makes of it
chaining     which steps bring it back into service after it lost its configuration
guarding     may it be touched right now
rendering    what a step would write into its record, and what that changes
intending    what is asked of the controller for its step
proving      what proves that it came back
recording    what proves that its record was changed
doubting     was a request that got no answer applied or not
retrying     how long to wait before the next attempt
concluding   what has happened to it, given a reading or only the time
waiting      when it is looked at next
deciding     what a decision is
"""
