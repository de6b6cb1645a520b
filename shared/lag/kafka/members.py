"""The state of a group, its members, and who owns which partition: as its coordinator describes it."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.protocol.admin import DescribeGroupsRequest

from shared.kafka.brokers import Brokers
from shared.lag.kafka.offsets import Part
from shared.lag.models import GroupState

_STATES = {
    "Stable": GroupState.STABLE,
    "PreparingRebalance": GroupState.REBALANCING,
    "CompletingRebalance": GroupState.REBALANCING,
    # Of the protocol of Kafka 4.
    "Assigning": GroupState.REBALANCING,
    "Reconciling": GroupState.REBALANCING,
    "Empty": GroupState.EMPTY,
    "Dead": GroupState.DEAD,
}


_MEMBER_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Described:
    """A group: its state, how many members it has, and the member of each partition, by `owner_name`."""

    state: GroupState = GroupState.UNKNOWN
    members: int | None = None
    owners: Mapping[Part, str] = field(default_factory=dict)
    error: int = 0


async def describe(brokers: Brokers, coordinator: int, group: str) -> Described:
    """Return the group; `error` is the broker's error code.

    Raises:
        one of `NOT_ANSWERED`
    """
    response = await brokers.ask(coordinator, DescribeGroupsRequest([group]))
    [(code, _group, state, _type, _protocol, members, *_)] = response.groups
    if code:
        return Described(error=code)
    owners = {
        part: owner_name(member, client, host)
        for member, client, host, _, assignment in members
        for part in _assigned(assignment)
    }
    return Described(_STATES.get(state, GroupState.UNKNOWN), len(members), owners)


def owner_name(member: str, client: str, host: str) -> str:
    """Return the name of a member: client id, host, and the end of its member id.

    Workers on one host have the same client id; the broker makes the member id, which ends in random hex digits.
    """
    return f"{client}@{host.removeprefix('/')}#{member[-_MEMBER_DIGITS:]}"


@lru_cache(maxsize=1024)
def _assigned(assignment: bytes | None) -> Sequence[Part]:
    """Return the partitions of a member, none while the group rebalances.

    Faust's assignor puts them where Kafka's own clients do; what it adds for itself is not read.
    """
    if not assignment:
        return ()
    try:
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
    except (struct.error, ValueError):
        return ()
    return tuple((topic, number) for topic, numbers in decoded.assignment for number in numbers)
