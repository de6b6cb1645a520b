"""What the commands do, their output included; a command of `commands/` loads its file when it runs."""
