"""The timed write: what is known of MongoDB after it."""

from structlog.testing import capture_logs

from shared.lag.mongodb import Write, timed_write


class SurprisingProbe:
    async def write(self) -> None:
        raise ValueError("a surprise")


async def test_after_an_internal_error_nothing_is_known_of_mongodb_and_it_is_logged() -> None:
    with capture_logs() as logged:
        found = await timed_write(SurprisingProbe())

    assert found == Write()
    assert [entry["event"] for entry in logged] == ["timed_write_failed"]
