"""Decompression: nothing is lost, and nothing is larger than it may be."""

import pytest

from services.worker.consumer.batches.decompression import UnreadableBatch, decompressed
from shared.contract.rejection import Reason
from tests.support.events.record_batches import CODECS, COMPRESS

CODEC_NUMBERS = {**CODECS, "xerial": 2}
USUAL = b"".join(b'{"number": %d}' % number for number in range(50_000))
LARGE = USUAL * 10
MB = 1024**2


@pytest.mark.parametrize("data", [b"", b"{}", USUAL, LARGE], ids=["nothing", "little", "usual", "large"])
@pytest.mark.parametrize("codec", COMPRESS)
def test_what_was_compressed_comes_back_behind_the_prefix(codec: str, data: bytes) -> None:
    found = decompressed(CODEC_NUMBERS[codec], COMPRESS[codec](data), 64 * MB, b"prefix")

    assert bytes(found) == b"prefix" + data


@pytest.mark.parametrize("most", [len(USUAL), len(LARGE)], ids=["usual", "large"])
@pytest.mark.parametrize("codec", COMPRESS)
def test_the_limit_is_exact(codec: str, most: int) -> None:
    number, compress = CODEC_NUMBERS[codec], COMPRESS[codec]

    assert len(decompressed(number, compress(LARGE[:most]), most)) == most
    with pytest.raises(UnreadableBatch) as raised:
        decompressed(number, compress(LARGE[:most] + b"x"), most)

    assert raised.value.reason is Reason.BATCH_TOO_LARGE


@pytest.mark.parametrize("damage", ["cut", "text", "nothing"])
@pytest.mark.parametrize("codec", COMPRESS)
def test_what_is_not_the_codecs_is_unreadable(codec: str, damage: str) -> None:
    whole = COMPRESS[codec](USUAL)
    damaged = {"cut": whole[:-10], "text": b"\xff" * 100, "nothing": b""}[damage]

    with pytest.raises(UnreadableBatch) as raised:
        decompressed(CODEC_NUMBERS[codec], damaged, 64 * MB)

    assert raised.value.reason in {Reason.UNREADABLE_BATCH, Reason.BATCH_TOO_LARGE}


def test_a_size_that_the_data_only_claims_takes_no_memory() -> None:
    claims_4_gb = b"\xff\xff\xff\xff\x0f" + COMPRESS["snappy"](b"{}")[1:]

    with pytest.raises(UnreadableBatch, match="more than 64 MB") as raised:
        decompressed(CODECS["snappy"], claims_4_gb, 64 * MB)

    assert raised.value.reason is Reason.BATCH_TOO_LARGE


def test_an_unknown_codec_is_unreadable() -> None:
    with pytest.raises(UnreadableBatch, match="unknown number 7"):
        decompressed(7, b"", MB)
