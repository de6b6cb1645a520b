"""The lag as `callfold lag` shows it: taken, as a table, and live."""
