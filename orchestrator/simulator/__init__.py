"""A fleet and a controller that behave like the real ones, driven by a given clock and seed.

chance         draws that depend on what they are for, never on who asked first
temperaments   how a device behaves when it is disturbed
fleet          the records a world begins with
contacts       when a device makes contact by itself, and what the controller believes by that
credentials    the name and password a device itself knows
images         firmware on its way to a device
devices        one device in time: informs, delivery, boot, firmware, return
population     all devices, by id, serial number, name and filter; who comes back under another id
records        a device as JSON, in every shape of the API, and what may be written to it
exchange       a request and its answer, without sockets
rules          how a controller is set up: what it shows, what it offers
queries        the parameters of requests, and the pages that answer them
endpoints      what the API answers when nothing goes wrong
optional       a room of its own: what only some controllers offer
faults         what goes wrong between the controller and us
ledger         what really happened
world          all of it together: `World.handle(request, now)`
answering      the same as the words of the model, for drivers without HTTP
"""
