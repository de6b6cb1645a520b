"""Why a dead letter is not found; each message is one line for a person."""


class NoSuchDeadLetter(Exception):
    """The topic has no dead letter of this number, or no longer has it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is no dead letter {number}")


class TooManyDeadLetters(Exception):
    """There are more to be read than the caller wants to."""

    def __init__(self, total: int) -> None:
        super().__init__(f"{total} dead letters would have to be read")
        self.total = total


class InvalidNumber(Exception):
    """The text is not the number of a dead letter."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number!r} is not the number of a dead letter")


class AmbiguousNumber(Exception):
    """The topic has several partitions, and the number names none."""

    def __init__(self, partitions: int) -> None:
        super().__init__(f"the topic has {partitions} partitions: name the dead letter as `partition:offset`")
