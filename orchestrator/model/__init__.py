"""The words: frozen data that every room speaks, on the standard library only.

playbook      the YAML document                     (playbooks.Playbook)
device        one record of the inventory           (devices.Device)
selection     the rule that chooses devices         (selections.Selection)
step          one entry of a playbook's sequence    (steps.Step)
operation     one of the API's five                 (operations.Operation)
plan          playbook + frozen device set + limits (plans.Plan)
run           one execution of a plan               (events.RunStarted ... events.RunFinished)
device run    one device's walk through the steps   (engine.progressing.DeviceRun)
attempt       one try of one step on one device     (events.OperationIntended.attempt)
evidence      what proves that a device came back   (events.DeviceReturned)
in doubt      sent, and no answer came              (events.OperationLost)
verdict       a device's end                        (verdicts.Verdict)
event         what has happened; commands: what should (events, commands)
"""
