"""The settings of the fleet, in memory."""

from collections.abc import Mapping


class MemoryFleet:
    """Implements `Fleet`."""

    _fleet: Mapping[str, str]

    async def put_fleet_settings(self, settings: Mapping[str, str]) -> None:
        self._fleet = dict(settings)

    async def fleet_settings(self) -> Mapping[str, str]:
        return dict(self._fleet)
