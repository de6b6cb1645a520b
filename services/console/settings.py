"""The console's settings."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from services.console.access.accounts import Role
from shared.contract.topics import Topics
from shared.fold_pool.settings import PoolSettings

_TOKEN = r"^[A-Za-z0-9-]{1,100}$"  # noqa: S105 - a header's name


class ConsoleSettings(PoolSettings):
    """The shared settings and those of the console alone."""

    console_host: str = Field("127.0.0.1", min_length=1, description="Host of the console")
    console_port: int = Field(8081, ge=1, le=65535, description="Port of the console")
    console_accounts: Path | None = Field(
        None, description="Accounts (TOML: name, role, Argon2 hash; `callfold accounts hash`); none: nobody can log in"
    )
    console_secure_cookie: bool = Field(False, description="Send the session's cookie over HTTPS only")
    console_idle_minutes: int = Field(60, ge=1, le=1_440, description="A session ends after so long without a request")
    console_session_hours: int = Field(12, ge=1, le=168, description="A session ends at the latest after so long")
    console_logins_per_minute: int = Field(
        10, ge=1, le=1_000, description="Failed logins of one address for one account, and five times as many for all"
    )
    console_proxy_header: str | None = Field(
        None, pattern=_TOKEN, description="Header by which a trusted proxy names the account; none: no proxy is trusted"
    )
    console_proxy_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Networks of trusted proxies, with commas between them, whose headers count",
    )
    console_proxy_role: Role = Field(
        Role.VIEWER, description="Role of an account that the proxy names and that the file of accounts does not"
    )
    console_monitor: str = Field("http://127.0.0.1:6067", description="Address of the monitor")
    console_prometheus: str | None = Field(
        None, description="Address of Prometheus, for the last hour and the alerts; none: the console shows neither"
    )
    console_timeout_ms: int = Field(5_000, ge=100, le=60_000, description="Most that each request to MongoDB takes")

    @property
    def topics(self) -> Topics:
        return Topics(self.topic_prefix)

    @field_validator("console_proxy_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_proxy(self) -> Self:
        if self.console_proxy_header and not self.console_proxy_networks:
            raise ValueError("console_proxy_header needs console_proxy_networks: anybody could send the header")
        return self
