"""The vocabulary: the contract, the fold, the store. Imports no service."""
