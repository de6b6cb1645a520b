"""Why Kafka lets nobody in: aiokafka's clients log it, and raise only that they could not connect."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.access import KafkaAccess

_PATIENCE_SECONDS = 5.0


async def refusal(access: KafkaAccess) -> str | None:
    """Return what the first broker that has something against us has, without any secret; None if none says.

    To be asked when a client could not connect.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for host, port, _ in collect_hosts(access.bootstrap):
                try:
                    await _knock(access, host, port)
                except (KafkaError, OSError) as error:
                    if why := _why(error):
                        return why.format(f"{host}:{port}")
    return None


async def _knock(access: KafkaAccess, host: str, port: int) -> None:
    connection = await create_conn(host, port, **access.security())
    try:
        # A broker that wants a certificate or a user may say so only when it is asked something.
        await connection.send(MetadataRequest([]))
    finally:
        connection.close()


def _why(error: BaseException) -> str | None:
    for cause in _causes(error):
        match cause:
            case SaslAuthenticationFailed():
                return "authentication failed at {}: wrong CALLFOLD_KAFKA_USERNAME or CALLFOLD_KAFKA_PASSWORD"
            case UnsupportedSaslMechanismError():
                return "authentication failed at {}: it does not take this CALLFOLD_KAFKA_SASL_MECHANISM"
            case IllegalSaslStateError():
                return "authentication failed at {}: it takes no SASL (CALLFOLD_KAFKA_SECURITY_PROTOCOL)"
            case ssl.SSLCertVerificationError():
                return f"TLS failed at {{}}: {cause.verify_message} (CALLFOLD_KAFKA_CA_FILE)"
            case ssl.SSLError():
                return f"TLS failed at {{}}: {cause.reason} (CALLFOLD_KAFKA_SECURITY_PROTOCOL, _CERTIFICATE_FILE)"
            case asyncio.IncompleteReadError() | ConnectionResetError():
                return "{} closes the connection: it may expect another CALLFOLD_KAFKA_SECURITY_PROTOCOL"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
