"""A run's report for other programs: what is the same for all forms, and one module a form.

run_report     a run as a report sees it: its summary, its devices' walks, how its audit log stands
walks          when each device's walk began and ended, and how often it was tried
foresight      what the plan foresaw beside what came of it
as_json        one document, its keys listed and stable
as_csv         one row a device
as_markdown    a summary to be pasted into a ticket
as_junit       a campaign as a test suite, as CI systems show it
"""
