"""The ports on MongoDB. Only this folder imports its driver."""
