"""Notices a proxy that is not trusted: all its clients share one address, and the limit of rejected keys with it."""

from services.api.keys.authentication import Headers
from shared.process.logs import logger

log = logger(__name__)

_FORWARDED_FOR = b"x-forwarded-for"


class ForwardedFor:
    """Logs once that a request carries `X-Forwarded-For` while no proxy is `trusted`."""

    def __init__(self, *, trusted: bool) -> None:
        self._done = trusted

    def check(self, headers: Headers) -> None:
        if not self._done and any(name == _FORWARDED_FOR for name, _ in headers):
            self._done = True
            log.warning("forwarded_for_not_trusted", setting="CALLFOLD_API_TRUSTED_PROXIES")
