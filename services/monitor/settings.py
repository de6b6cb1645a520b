"""The monitor's settings."""

from pydantic import Field

from services.monitor.canary.settings import CanarySettings
from shared.config.settings import Settings
from shared.contract.topics import Topics


class MonitorSettings(CanarySettings, Settings):
    """The shared settings and those of the monitor alone."""

    monitor_host: str = Field("127.0.0.1", min_length=1, description="Host of the monitor's /lag, /metrics and health")
    monitor_port: int = Field(6067, ge=1, le=65535, description="Port of the monitor's /lag, /metrics and health")

    @property
    def topics(self) -> Topics:
        return Topics(self.topic_prefix)
