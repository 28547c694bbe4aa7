"""What the `devices` commands share.

filters      the options that choose devices, and what they choose
addressing   one device by its id, serial number or name
sources      a file of rows, checked whole before any request
placing      rows that name another organization than their device is in
drafts       a composed playbook, where it can be read and planned
carrying     plan, confirm and run what was composed
exporting    records as rows of CSV, JSON lines or YAML
describing   one record, grouped for reading
counting     a fleet in numbers, once or live
"""
