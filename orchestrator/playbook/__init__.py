"""Turn YAML text into the model, or say where it is wrong and what was meant.

loading       a file and what it names beside itself  (load_playbook, load_text, load_table)
reading       the text, to the end                    (read_playbook)
language      every key, and the JSON Schema          (json_schema)
checking      contradictions between right values
steps         every kind of step: its keys, its proof, what it writes  (sequences, records, proofs, ...)
tables        one row of values a device, checked whole                (table_of)
rollouts      waves, limits, budgets, and who is told
windows       when devices may be started
fields        names of fields to sort, spread and group by
conditions    what may be demanded of a record's fields
device_lists  the devices that are named one by one
wanted        a wanted state, for comparing a fleet with it
decoding      bytes to text, or what they look like instead
shapes        mappings, lists, and what may stand at a key
values        single values: numbers, durations, words
variables     what `${name}` stands for
composing     the tree of keys and values with their places
decoding      bytes of a file as text, or what they look like instead
faults        what is wrong, collected and shown      (render_faults)
"""
