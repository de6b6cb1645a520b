"""The arguments and the output of the commands, a file for each group; the folder above has what they do."""
