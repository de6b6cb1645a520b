"""Where pages are."""

from urllib.parse import quote


def call_address(organization: str, call: str) -> str:
    """Return the path of one call's page; ids hold any characters."""
    return f"/calls/{quote(organization, safe='')}/{quote(call, safe='')}"
