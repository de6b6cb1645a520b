"""The headers of every answer, which tell a browser what no page of the console needs."""

from collections.abc import Mapping

HEADERS: Mapping[str, str] = {
    # No inline script and no inline style, nothing from anywhere else, and no frame around a page.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
