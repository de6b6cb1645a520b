"""How the programs and the servers that they need are run."""
