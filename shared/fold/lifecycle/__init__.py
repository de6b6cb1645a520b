"""When a call began, how it ended, and how long it was."""
