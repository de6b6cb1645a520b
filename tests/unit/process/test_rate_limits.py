"""Buckets of tokens by name, and what counts as one client."""

import pytest

from shared.process import rate_limits
from shared.process.rate_limits import RateLimit, network_of


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_has_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    limit = RateLimit(per_second=2, burst=3, timer=clock)

    burst = [limit.take("a") for _ in range(4)]
    clock.now += 0.5
    then = [limit.take("a"), limit.take("a")]

    assert burst == [0, 0, 0, 0.5]
    assert then == [0, 0.5]


def test_a_bucket_is_full_again_after_a_while_and_not_fuller() -> None:
    clock = Clock()
    limit = RateLimit(per_second=2, burst=3, timer=clock)
    for _ in range(3):
        limit.take("a")
    clock.now += 1_000

    assert [bool(limit.take("a")) for _ in range(4)] == [False, False, False, True]


def test_a_token_that_is_given_back_can_be_taken_again() -> None:
    limit = RateLimit(per_second=1, burst=1, timer=Clock())
    for _ in range(5):
        assert limit.take("a") == 0
        limit.give_back("a")

    assert [limit.take("a"), limit.take("a")] == [0, 1]


def test_names_are_limited_apart() -> None:
    limit = RateLimit(per_second=1, burst=1, timer=Clock())

    assert [limit.take("a"), limit.take("b"), limit.take("a")] == [0, 0, 1]


def test_memory_is_bounded_however_many_names_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "NAMES", 10)
    limit = RateLimit(per_second=1, burst=1, timer=Clock())

    for number in range(1_000):
        limit.take(str(number))

    assert len(limit) == 10


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("_hidden", "unknown"),
    ],
)
def test_an_ipv6_client_is_its_network(host: str, network: str) -> None:
    assert network_of(host) == network
