"""The commands, one file each; a module offers `app` and imports what it needs when it is called."""
