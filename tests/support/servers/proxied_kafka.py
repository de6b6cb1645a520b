"""A broker that producers reach directly and workers through a proxy."""

from pathlib import Path
from typing import Self

from deploy.local.ports import HOST, free_port
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.proxy import Proxy

_LISTENER = "WORKERS"


class ProxiedKafka(KafkaServer):
    """Has a second listener, whose address for clients is that of `proxy`."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self.proxy = Proxy(free_port(), free_port())

    @property
    def address_for_workers(self) -> str:
        """Where workers find it, `host:port`."""
        return f"{HOST}:{self.proxy.port}"

    def __enter__(self) -> Self:
        self.proxy.__enter__()
        try:
            return super().__enter__()
        except BaseException:
            self.proxy.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.proxy.__exit__()

    def _properties(self) -> str:
        advertised = f"advertised.listeners=PLAINTEXT://{self.address}"
        listening, leading = f"{_LISTENER}://{HOST}:{self.proxy.target}", f"{_LISTENER}://{self.address_for_workers}"
        return (
            super()
            ._properties()
            .replace(",CONTROLLER://", f",{listening},CONTROLLER://")
            .replace(advertised, f"{advertised},{leading}")
            .replace("protocol.map=", f"protocol.map={_LISTENER}:PLAINTEXT,")
        )
