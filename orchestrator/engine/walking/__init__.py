"""One device's walk through its steps.

progressing  its state, as the fold of its events
chaining     which steps bring it back into service after it lost its configuration
guarding     may it be touched right now
proving      what proves that it came back
doubting     was a request that got no answer applied or not
retrying     how long to wait before the next attempt
concluding   what has happened to it, given a reading or only the time
waiting      when it is looked at next
deciding     what a decision is
"""
