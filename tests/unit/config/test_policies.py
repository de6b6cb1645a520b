"""The file of policies: defaults, and single organizations."""

from pathlib import Path

import pytest

from shared.config.policies import CANARY_ORGANIZATION, Policies, Policy, load
from shared.config.toml_file import InvalidConfigFile

FIVE_MINUTES_MS = 300_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policies.toml"


def test_without_a_file_idle_calls_end_after_two_hours_or_a_day_and_are_kept_for_ever() -> None:
    policy = load().of("any")

    assert (policy.close_ongoing_seconds, policy.retention_days) == (7_200, 0)
    assert (policy.close_registered_seconds, policy.close_scheduled_seconds) == (86_400, 86_400)


def test_an_organization_overrides_the_default_field_by_field(file: Path) -> None:
    file.write_text("[default]\nretention_days = 365\n[organizations.org-1]\nclose_ongoing_seconds = 600\n")

    policies = load(file)

    assert policies.of("org-1") == Policy(close_ongoing_seconds=600, retention_days=365)
    assert policies.of("org-2") == Policy(retention_days=365)
    canary = Policy(retention_days=1)
    assert policies.all() == [policies.of("org-2"), policies.of("org-1"), canary]


def test_an_organization_may_have_any_name(file: Path) -> None:
    file.write_text('[organizations."Ö. & Co: 1.2"]\nretention_days = 1\n', encoding="utf-8")

    assert load(file).of("Ö. & Co: 1.2").retention_days == 1


def test_an_empty_file_is_the_same_as_none(file: Path) -> None:
    file.touch()

    assert load(file) == load()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", 1),
        ("[default]\nretention_days = 365", 1),
        (f"[organizations.{CANARY_ORGANIZATION}]\nclose_ongoing_seconds = 60", 1),
        (f"[organizations.{CANARY_ORGANIZATION}]\nretention_days = 7", 7),
    ],
)
def test_calls_of_the_canary_are_kept_for_a_day_unless_the_file_says_otherwise(
    file: Path, text: str, days: int
) -> None:
    file.write_text(text)

    assert load(file).of(CANARY_ORGANIZATION).retention_days == days


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[default]\nclose_ongoing_seconds = 0", "default.close_ongoing_seconds"),
        ("[default]\nclose_ongoing_seconds = 31622401", "default.close_ongoing_seconds"),
        ("[default]\nclose_ongoing_seconds = 1.5", "default.close_ongoing_seconds"),
        ("[default]\nretention_days = -1", "default.retention_days"),
        ("[default]\nretention = 1", "default.retention"),
        ("[org-1]\nretention_days = 1", "org-1"),
        ("[organizations]\norg-1 = 5", "organizations.org-1"),
        ("[organizations.org-1]\nretention_days = 'long'", "organizations.org-1.retention_days"),
        ("[organizations.org-1]\nclose_after = 3", "organizations.org-1.close_after"),
        ("[default]\nretention_days = true", "default.retention_days"),
        ("[default]\nretention_days = '5'", "default.retention_days"),
        ("default = [", "end of document"),
    ],
)
def test_an_error_is_one_line_that_names_the_file_and_the_place(file: Path, text: str, place: str) -> None:
    file.write_text(text)

    with pytest.raises(InvalidConfigFile) as rejected:
        load(file)

    line = str(rejected.value)
    assert line.startswith(f"CALLFOLD_POLICIES, {file}: ")
    assert place in line
    assert "\n" not in line


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_is_missing_or_not_utf_8_is_rejected(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidConfigFile, match=r"CALLFOLD_POLICIES, .*policies\.toml"):
        load(file)


@pytest.mark.parametrize(
    "policies",
    [
        Policies(Policy(close_ongoing_seconds=60)),
        Policies(Policy(close_registered_seconds=60)),
        Policies(Policy(close_scheduled_seconds=60)),
        Policies(organizations={"org-1": Policy(close_scheduled_seconds=60), "org-2": Policy()}),
    ],
)
def test_the_shortest_timeout_is_the_shortest_of_all_policies(policies: Policies) -> None:
    assert policies.shortest_ms == 60_000


@pytest.mark.parametrize(
    ("timeout", "slack"), [(7_200, FIVE_MINUTES_MS), (3_600, FIVE_MINUTES_MS), (60, 5_000), (1, 83)]
)
def test_the_slack_is_a_twelfth_of_the_shortest_timeout_and_at_most_five_minutes(timeout: int, slack: int) -> None:
    assert Policies(Policy(close_ongoing_seconds=timeout)).slack_ms == slack
