"""The timeline of a call as a picture: who spoke when, and what else happened, on one axis of time."""
