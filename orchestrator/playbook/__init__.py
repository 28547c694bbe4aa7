"""Turn YAML text into the model, or say where it is wrong and what was meant.

loading       a file and what it names beside itself  (load_playbook, load_text, load_table)
reading       the text, to the end                    (read_playbook)
language      every key, and the JSON Schema          (json_schema)
checking      contradictions between right values
sequences     the steps: every kind and its keys
records       the steps that change records, and what they write
record_checks contradictions between those steps, the table and the rest
proofs        what has to be read back
secret_values where a secret comes from; it never stands in a playbook
templating    what `${device.field}` and `${row.column}` mean
tables        one row of values a device, checked whole  (table_of)
cells         what may be written into each field of a record
sheets        a table's text in cells; sheet_csv, sheet_jsonl and sheet_yaml read it,
              sheet_masking writes it again without secrets
rollouts      waves, limits, budgets, and who is told
windows       when devices may be started
fields        names of fields to sort, spread and group by
conditions    what may be demanded of a record's fields
device_lists  the devices that are named one by one
shapes        mappings, lists, and what may stand at a key
values        single values: numbers, durations, words
variables     what `${name}` stands for
composing     the tree of keys and values with their places
decoding      bytes of a file as text, or what they look like instead
faults        what is wrong, collected and shown      (render_faults)
"""
