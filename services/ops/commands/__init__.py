"""What can be typed: one function per command, which loads what it does (`actions/`) only when it runs."""
