"""What the pictures of the console are taken of, and the pictures."""

import pytest

from deploy.screenshots.pictures import SCHEMES
from deploy.screenshots.scene import FOLDER, LATE, ON_TIME
from deploy.screenshots.story import INVALID, NOT_JSON, Invalid, example, failed
from shared.contract.rejection import Reason
from tests.support.events.makers import STARTED, raw, record, rejected

PICTURES = [f"{picture.name}-{scheme}.png" for picture in (*ON_TIME, *LATE) for scheme in SCHEMES]
MOST_BYTES = 150_000


def test_the_call_of_the_documentation_costs_what_it_costs_there() -> None:
    shown = record(*example(STARTED))

    assert (shown["organization_id"], shown["call_id"], shown["call_status"]) == ("org-789", "call-456", "ENDED")
    assert {line["product"]: line["cost"] for line in shown["call_cost"]["product_costs"]} == {
        "inbound_call": 0.1,
        "llm_usage": 0.05,
    }
    assert shown["call_cost"]["combined_cost"] == 0.15
    assert shown["latency"]["e2e"]["max"] == 2_810.4


def test_the_call_that_failed_has_a_reason() -> None:
    shown = record(*failed(STARTED))

    assert (shown["call_status"], shown["disconnection_reason"]) == ("ERROR", "error_llm_websocket_lost_connection")


@pytest.mark.parametrize(
    ("sender", "reason"), list(zip(INVALID, (Reason.MISSING, Reason.WRONG_TYPE, Reason.OUT_OF_BOUNDS), strict=True))
)
def test_each_provider_of_invalid_events_has_a_reason_of_its_own(sender: Invalid, reason: Reason) -> None:
    reasons = {rejected(raw(event))[0] for event in sender.events(STARTED)}

    assert reasons == {reason}
    assert rejected(NOT_JSON)[0] is Reason.NOT_JSON


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_is_there_and_light_enough_for_a_page(name: str) -> None:
    assert 10_000 < (FOLDER / name).stat().st_size < MOST_BYTES


def test_no_picture_is_left_of_an_earlier_name() -> None:
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(PICTURES)
