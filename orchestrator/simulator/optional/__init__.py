"""What only some controllers offer beside the two documents (api.md 1.8), as the world has it.

parameters   a device's settings and variables: what the controller wants, and what the device has
device_log   what the controller asked of a device, what came of it, and its boots
endpoints    what the API answers about these, and about types
offering     the same in the words of the model, for drivers without HTTP
"""
