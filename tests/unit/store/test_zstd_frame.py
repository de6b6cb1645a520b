"""The zstd frames of records, and what is put around their content."""

import random

import orjson
import pytest
import zstandard

from shared.store.zstd_frame import compress, decompress, read_frame, wrapped

MANY = 16 * 1024 * 1024
DECIMALS = random.Random(1)
CONTENTS = [
    b"",
    b"{}",
    b"x" * 300,
    orjson.dumps([{"word": str(number), "start": number * 17} for number in range(600)]),
    b"x" * 200_000,
    orjson.dumps([DECIMALS.random() for _ in range(20_000)]),
    orjson.dumps([DECIMALS.random() for _ in range(200_000)]),
    DECIMALS.randbytes(700_000),
]
PREFIX, SUFFIX = b'{"message":"Call retrieved successfully","data":', b"}"


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_frame_gives_its_content_back_and_knows_its_size(content: bytes) -> None:
    frame = read_frame(compress(content), MANY)

    assert frame.content_bytes == len(content)
    assert decompress(frame) == content


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_wrapped_frame_is_one_frame_of_the_whole_that_a_browser_reads(content: bytes) -> None:
    sent = wrapped(PREFIX, read_frame(compress(content), MANY), SUFFIX)

    whole = PREFIX + content + SUFFIX
    parameters = zstandard.get_frame_parameters(sent)
    assert zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompress(sent) == whole
    assert zstandard.frame_content_size(sent) == len(whole)
    assert parameters.window_size <= 8 * 1024 * 1024
    assert (parameters.dict_id, parameters.has_checksum) == (0, False)
    reading = zstandard.ZstdDecompressor().decompressobj()
    assert reading.decompress(sent) == whole
    assert (reading.eof, reading.unused_data) == (True, b"")


def test_a_frame_that_holds_too_much_is_refused_before_it_is_decompressed() -> None:
    with pytest.raises(ValueError, match="too much"):
        read_frame(compress(b"x" * 1_001), 1_000)


@pytest.mark.parametrize("cut", range(40))
def test_a_frame_that_was_cut_is_no_frame(cut: int) -> None:
    data = compress(CONTENTS[3])

    with pytest.raises(ValueError, match="frame"):
        read_frame(data[: -1 - cut * len(data) // 40], MANY)


def test_a_damaged_block_is_an_error() -> None:
    data = bytearray(compress(CONTENTS[3]))
    data[40:60] = bytes(20)

    with pytest.raises(ValueError, match="damaged"):
        decompress(read_frame(bytes(data), MANY))
