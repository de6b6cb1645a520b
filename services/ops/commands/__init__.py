"""The commands, a file for each group: what is typed and what is printed. The work is done one folder up."""
