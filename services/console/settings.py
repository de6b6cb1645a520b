"""The console's settings."""

from pathlib import Path

from pydantic import Field

from shared.config.settings import Settings


class ConsoleSettings(Settings):
    """The shared settings and those of the console alone."""

    console_host: str = Field("127.0.0.1", min_length=1, description="Host of the console")
    console_port: int = Field(8081, ge=1, le=65535, description="Port of the console")
    console_accounts: Path | None = Field(None, description="Accounts (TOML: name, role, Argon2 hash); none: no login")
    console_secure_cookie: bool = Field(False, description="Send the session's cookie over HTTPS only")
    console_idle_minutes: int = Field(60, ge=1, le=1_440, description="A session ends after so long without a request")
    console_session_hours: int = Field(12, ge=1, le=168, description="A session ends at the latest after so long")
    console_logins_per_minute: int = Field(10, ge=1, le=1_000, description="Failed logins of one address and account")
    console_monitor: str = Field("http://127.0.0.1:6067", description="Address of the monitor")
    console_timeout_ms: int = Field(5_000, ge=100, le=60_000, description="Most that a page waits for MongoDB")
