"""The command `callfold`: for whoever runs the rest."""
