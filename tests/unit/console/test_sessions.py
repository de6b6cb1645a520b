from services.console.access.accounts import Account, Role
from services.console.access.sessions import MOST_OF_ACCOUNT, Sessions

ANN = Account("ann", Role.SUPPORT)


class Timer:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_ends_when_it_is_idle() -> None:
    timer = Timer()
    sessions = Sessions(idle=60, most=600, timer=timer)
    token, session = sessions.begin(ANN)

    timer.now = 59
    used = sessions.get(token)
    timer.now = 118
    used_again = sessions.get(token)
    timer.now = 179

    assert used is used_again is session
    assert sessions.get(token) is None


def test_a_page_that_refreshes_itself_does_not_keep_a_session() -> None:
    timer = Timer()
    sessions = Sessions(idle=60, most=600, timer=timer)
    token, session = sessions.begin(ANN)

    timer.now = 59
    refreshed = sessions.get(token, at_work=False)
    timer.now = 61

    assert refreshed is session
    assert sessions.get(token) is None


def test_a_session_that_is_used_ends_in_the_end() -> None:
    timer = Timer()
    sessions = Sessions(idle=60, most=100, timer=timer)
    token, _ = sessions.begin(ANN)

    for timer.now in (50, 99):
        assert sessions.get(token) is not None
    timer.now = 101

    assert sessions.get(token) is None


def test_a_session_that_was_ended_is_gone_and_others_are_not() -> None:
    sessions = Sessions(idle=60, most=600)
    token, _ = sessions.begin(ANN)
    other, _ = sessions.begin(ANN)

    sessions.end(token)

    assert sessions.get(token) is None
    assert sessions.get(other) is not None


def test_an_account_that_logs_in_again_and_again_ends_its_own_sessions_alone() -> None:
    sessions = Sessions(idle=60, most=600)
    other, _ = sessions.begin(Account("bob", Role.VIEWER))

    tokens = [sessions.begin(ANN)[0] for _ in range(MOST_OF_ACCOUNT + 2)]

    assert [sessions.get(token) is not None for token in tokens] == [False] * 2 + [True] * MOST_OF_ACCOUNT
    assert sessions.get(other) is not None


def test_what_a_page_asks_for_again_is_logged_once_and_never_not_at_all() -> None:
    _, session = Sessions(idle=60, most=600).begin(ANN)

    opened = [session.opens("call a", again=again) for again in (True, True, False)]

    assert opened == [True, False, True]


def test_each_session_has_tokens_of_its_own() -> None:
    sessions = Sessions(idle=60, most=600)
    (token, session), (other, another) = sessions.begin(ANN), sessions.begin(ANN)

    assert token != other
    assert session.sent(session.csrf)
    assert not session.sent(another.csrf)
    assert not session.sent("")
