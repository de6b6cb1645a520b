"""The use cases: fold a call, read a call."""
