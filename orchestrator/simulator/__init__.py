"""A fleet and a controller that behave like the real ones, driven by a given clock and seed.

chance         draws that depend on what they are for, never on who asked first
temperaments   how a device behaves when it is disturbed
fleet          the records a world begins with
devices        one device in time: informs, delivery, boot, return
population     all devices, by id, serial number and filter
records        a device as JSON, in every shape of the API, and what may be written to it
exchange       a request and its answer, without sockets
endpoints      what the API answers when nothing goes wrong
faults         what goes wrong between the controller and us
ledger         what really happened
world          all of it together: `World.handle(request, now)`
answering      the same as the words of the model, for drivers without HTTP
"""
