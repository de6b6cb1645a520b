"""Why Kafka cannot be used: aiokafka's clients log it, and raise only that they could not connect."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.access import KafkaAccess

_TIMEOUT_SECONDS = 5.0


async def diagnose(error: BaseException, access: KafkaAccess) -> str:
    """Return one line for `error`, without any secret: what is wrong, where, and which setting to look at."""
    match error:
        case KafkaConnectionError() | NodeNotReadyError():
            if reason := await refusal(access):
                return f"Kafka: {reason}"
            return f"Kafka cannot be reached at {access.bootstrap} (CALLFOLD_KAFKA_BOOTSTRAP)"
        case TimeoutError() | KafkaTimeoutError() | RequestTimedOutError():
            return f"Kafka at {access.bootstrap} did not answer in time (CALLFOLD_KAFKA_BOOTSTRAP)"
        case KafkaError():
            return f"Kafka at {access.bootstrap} refused: {error}"
        case _:
            return f"Kafka at {access.bootstrap} failed: {type(error).__name__}"


async def refusal(access: KafkaAccess) -> str | None:
    """Return why the first broker that refuses this client does so, without any secret; None if none refuses it.

    For use after a client could not connect.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            for host, port, _ in collect_hosts(access.bootstrap):
                try:
                    await _try_to_connect(access, host, port)
                except (KafkaError, OSError) as error:
                    if reason := _reason(error):
                        return reason.format(f"{host}:{port}")
    return None


async def _try_to_connect(access: KafkaAccess, host: str, port: int) -> None:
    connection = await create_conn(host, port, **access.security())
    try:
        # A broker that requires a certificate or a user may refuse the first request only, not the connection.
        await connection.send(MetadataRequest([]))
    finally:
        connection.close()


def _reason(error: BaseException) -> str | None:
    for cause in _causes(error):
        match cause:
            case SaslAuthenticationFailed():
                return "authentication failed at {}: wrong CALLFOLD_KAFKA_USERNAME or CALLFOLD_KAFKA_PASSWORD"
            case UnsupportedSaslMechanismError():
                return "authentication failed at {}: it does not support this CALLFOLD_KAFKA_SASL_MECHANISM"
            case IllegalSaslStateError():
                return "authentication failed at {}: it does not support SASL (CALLFOLD_KAFKA_SECURITY_PROTOCOL)"
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
