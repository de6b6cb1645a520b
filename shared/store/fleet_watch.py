"""Whether this process has the settings of the fleet: checked at its start and every minute, never silent."""

from collections.abc import Mapping

from shared.config.fleet import CONSEQUENCES
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import Fleet

log = logger(__name__)


class FleetWatch:
    """Compares `own` settings with those of the worker that started last.

    While two workers differ, one of them differs from what is stored, and reports it. A worker that starts reports it
    too if it differs from the one before, as in the middle of a deployment.
    """

    def __init__(self, fleet: Fleet, own: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._own = own
        self._reported: Mapping[str, str] = {}

    async def announce(self) -> None:
        """Compare, then store the own settings as those of the fleet: for a worker that starts.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        await self.check()
        await self._fleet.put_fleet_settings(self._own)
        self._report({})

    async def check(self) -> None:
        """Compare, and log what differs, once for each difference.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        self._report(await self.differences())

    async def differences(self) -> Mapping[str, str]:
        """Return the fleet's values of the settings that differ.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        fleet = await self._fleet.fleet_settings()
        return {name: fleet[name] for name, own in self._own.items() if fleet.get(name, own) != own}

    def _report(self, different: Mapping[str, str]) -> None:
        for name, own in self._own.items():
            metrics.FLEET_SETTING_DIFFERS.labels(name).set(name in different)
            if name in different and self._reported.get(name) != different[name]:
                log.warning(
                    "fleet_setting_differs", setting=name, own=own, fleet=different[name], so=CONSEQUENCES.get(name)
                )
        self._reported = different
