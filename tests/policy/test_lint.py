"""The linter: each doubt is found where it is, named with what to do, and nothing is said of sound terms."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ledger.cli import main
from ledger.cli.terms import findings_of
from ledger.domain.money import decimal_text
from ledger.domain.policy import parse_policy
from ledger.domain.policy.lint import KINDS, Finding, lint
from ledger.errors import Refused

HEAD = """
format = 2
policy = "mail"
in_force_from = 2022-01-01

[period]
kind = "calendar-month"
zone = "UTC"

[measure]
of = "time"

[counting]
effects = ["outage"]

[credit]
rounding = "half-up"
"""
SOUND = """
[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"

[[tiers]]
availability_below = "99.9"
credit_percent = "10"
"""


def found(text: str) -> list[Finding]:
    return findings_of(text)[1]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.level) for one in found(text)]


def tier(bounds: str, pays: str = 'credit_percent = "10"') -> str:
    return f"\n[[tiers]]\n{bounds}\n{pays}\n"


def test_sound_terms_have_nothing_to_say() -> None:
    """Tiers that cover everything once, and pay for less, are sound."""
    assert findings_of(HEAD + SOUND) == ("mail", [])


# One runnable case for each kind of finding: terms, level, and a part of the sentence.
CASES: dict[str, tuple[str, str, str]] = {
    "not-toml": ("format = = 2", "error", "is not TOML"),
    "wrong-value": (HEAD.replace("half-up", "nearest") + SOUND, "error", "credit.rounding 'nearest' is not known"),
    "unknown-key": (HEAD.replace("rounding", 'roundng = "up"\nrounding') + SOUND, "error", "(did you mean 'rounding'?)"),
    "too-large": (
        HEAD + SOUND + '[limits]\namount = { USD = "99999999999999999999.00" }\n', "error",
        "limits.amount: amount '99999999999999999999.00' is more than 9,223,372,036,854,775,807 minor units of USD",
    ),
    "gap": (
        HEAD + tier('availability_above = "99.0"', 'credit_percent = "0"') + tier('availability_below = "99.0"'),
        "error", "none of the tiers holds exactly 99%, since its neighbours both leave it out",
    ),
    "decimal-hole": (
        HEAD + tier('availability_at_least = "99.0"', 'credit_percent = "0"') + tier('availability_at_most = "98.99"'),
        "error", 'tiers end at "98.99" and begin at "99", so none holds above 98.99% to below 99%; write the bound between them once, '
        'excluded on one side: availability_below "99" instead of availability_at_most "98.99"',
    ),
    "overlap": (
        HEAD + tier('availability_at_least = "99.0"', 'credit_percent = "0"') + tier('availability_at_most = "99.0"'),
        "error", "2 tiers hold exactly 99%, which pay 0% of fee, 10% of fee; narrow one of them",
    ),
    "met-but-pays": (
        HEAD + '[target]\navailability_at_least = "99.9"\n' + tier('availability_above = "99.9"', 'credit_percent = "0"')
        + tier('availability_at_most = "99.9"'),
        "warning", "exactly 99.9% meets the target and pays",
    ),
    "missed-but-free": (
        HEAD + '[target]\navailability_at_least = "99.9"\n' + tier('availability_at_least = "99.5"', 'credit_percent = "0"')
        + tier('availability_below = "99.5"'),
        "warning", "the target is availability at least 99.9%, but availability at least 99.5% pays nothing",
    ),
    "worse-pays-less": (
        HEAD + tier('availability_at_least = "99.0"') + tier('availability_below = "99.0"', 'credit_percent = "5"'),
        "warning", "availability below 99% pays 5% of fee, less than availability at least 99%, which pays 10% of fee",
    ),
    "unreachable-tier": (
        HEAD + tier('downtime_at_most = "800 hours"', 'credit_percent = "0"') + tier('downtime_above = "800 hours"'),
        "warning", "downtime above 800 hours is longer than a calendar-month can be",
    ),
    "unlike-remedies": (
        HEAD + tier('availability_at_least = "99.0"', 'credit_percent = "0"') + tier('availability_below = "99.0"', 'service_days = "3"\ncredit_percent = "5"')
        + '[stacking]\nincidents = "best-of"\n',
        "warning", "stacking.incidents is best-of, but money and days of service cannot be compared: the best of each kind is given, so that both",
    ),
    "limit-cuts": (
        HEAD + SOUND + '[limits]\npercent = "5"\n', "warning", "pays 10% of fee, but limits.percent is 5; it never pays what it says",
    ),
    "reading-decided": (
        HEAD + tier('availability_at_least = "99.0"', 'credit_percent = "0"') + tier('availability_below = "98.0"')
        + '[reading]\ngaps = "undecided"\n[facts]\nundecided = "least"\n',
        "warning", 'reading.gaps leaves open what is paid from 98% to below 99%, and facts.undecided = "least" issues the least there',
    ),
    "sums-without-currencies": (
        HEAD + SOUND + '[limits]\nonly_above = { USD = "1.00", EUR = "1.00" }\n', "warning",
        "limits.only_above has sums in EUR, USD, but currencies is left out, so a fee in another currency stops a whole run of "
        'credits; add currencies = ["EUR", "USD"]',
    ),
    "not-verified": (
        HEAD + '[source]\nname = "Example"\nstate = "partly-verified"\nnote = "the cap was not read"\n' + SOUND,
        "warning", "source.state is partly-verified: the cap was not read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_each_doubt_is_found(kind: str) -> None:
    """The kind is named once per place, with its level and a sentence that says what to do."""
    text, level, sentence = CASES[kind]
    told = [one for one in found(text) if one.kind == kind]
    assert told, found(text)
    assert all(one.level == level for one in told)
    assert any(sentence in one.sentence for one in told), told


def test_sums_whose_currencies_are_listed_are_sound() -> None:
    """The finding's own advice leaves nothing to say."""
    text = CASES["sums-without-currencies"][0].replace("[period]", 'currencies = ["EUR", "USD"]\n[period]', 1)
    assert found(text) == []


def test_every_kind_has_a_case() -> None:
    """What the linter can say is tried here; examples are tried where the calculator is."""
    assert set(KINDS) == {*CASES, "example-contradicts"}


def test_the_page_lists_every_kind() -> None:
    """docs/policy-language.md says what the code says of each kind."""
    page = (Path(__file__).resolve().parents[2] / "docs/policy-language.md").read_text()
    assert all(f"| `{kind}` | {words} |\n" in page for kind, words in KINDS.items())


def test_a_reading_turns_holes_into_warnings() -> None:
    """Terms that copy a hole of their contract say so, are read, and are still told about it."""
    text = CASES["gap"][0] + '\n[reading]\ngaps = "undecided"\n'
    assert kinds(text) == [("gap", "warning")]
    assert parse_policy(text).commitments[0].gaps == "undecided"
    text = CASES["overlap"][0] + '\n[reading]\noverlaps = "greatest"\n'
    assert ("overlap", "warning") in kinds(text)


def test_a_tier_that_better_paid_ones_cover_is_never_reached() -> None:
    """Where the greatest pays, a tier inside two better paid ones never does."""
    text = (
        HEAD + '[reading]\noverlaps = "greatest"\n' + tier('availability_at_least = "99.0"') + tier('availability_below = "99.0"')
        + tier('availability_at_least = "98.0"\navailability_below = "99.5"', 'credit_percent = "5"')
    )  # fmt: skip
    assert any(
        one.kind == "unreachable-tier" and "always lies in a tier that pays more" in one.sentence
        for one in found(text)
    )


def test_what_is_paid_in_proportion_pays_nothing_at_the_best() -> None:
    """5% for each half hour is nothing without downtime: no promise is paid for."""
    text = HEAD + tier("", 'credit_percent = "5"\nper = "block"\nblock = "30 minutes"')
    assert kinds(text) == []


def test_format_1_is_linted_too() -> None:
    """Terms of the first format have the same holes."""
    example = (
        Path(__file__).resolve().parents[2] / "examples/email_delivery_2022/policies/email-standard.toml"
    )
    text = example.read_text()
    assert kinds(text) == []
    assert "gap" in [
        kind for kind, _ in kinds(text.replace('availability_below = "99.0"', 'availability_below = "98.5"'))
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.booleans(), st.booleans()), min_size=1, max_size=5
    ),
    st.integers(0, 2000),
)  # fmt: skip
def test_a_gap_is_found_exactly_where_no_tier_holds(
    spans: list[tuple[int, int, bool, bool]], half: int
) -> None:
    """For any tiers: if some availability lies in none, a gap is told; in two, an overlap; and the parser refuses both."""
    texts = []
    for low, high, low_in, high_in in spans:
        if low > high or (low == high and not (low_in and high_in)):
            return
        texts.append(
            tier(
                f'availability_{"at_least" if low_in else "above"} = "{decimal_text(Fraction(low, 10))}"\n'
                f'availability_{"at_most" if high_in else "below"} = "{decimal_text(Fraction(high, 10))}"'
            )
        )
    policy, findings = lint(HEAD + "".join(texts))
    assert policy is not None
    said = {one.kind for one in findings}
    holding = sum(one.holds(Fraction(half, 2000)) for one in policy.tiers)
    assert holding or said & {"gap", "decimal-hole"}
    assert holding < 2 or "overlap" in said
    if said & {"gap", "decimal-hole", "overlap"}:
        with pytest.raises(Refused):
            parse_policy(HEAD + "".join(texts))
    else:
        assert parse_policy(HEAD + "".join(texts)).tiers == policy.tiers


def test_the_command_names_files_and_ends_with_1_for_errors(tmp_path: Path) -> None:
    """Warnings end with 0, errors and --strict with 1; JSON has a line for each file."""
    sound, warned, wrong = (tmp_path / name for name in ("sound.toml", "warned.toml", "wrong.toml"))
    sound.write_text(HEAD + SOUND)
    warned.write_text(CASES["limit-cuts"][0])
    wrong.write_text(CASES["gap"][0])

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["policy", "lint", *arguments])
        return result.exit_code, result.stdout

    assert run(str(sound)) == (0, f"{sound}: nothing found\n")
    assert run(str(warned))[0] == 0
    assert run("--strict", str(warned))[0] == 1
    code, text = run(str(sound), str(wrong))
    assert code == 1
    assert f"{wrong}: error: gap: none of the tiers holds exactly 99%" in text
    code, text = run("--json", str(sound), str(warned))
    first, second = (json.loads(line) for line in text.splitlines())
    assert code == 0
    assert first == {"file": str(sound), "policy": "mail", "findings": []}
    assert second["findings"][0]["kind"] == "limit-cuts"
    assert CliRunner().invoke(main, ["policy", "lint", str(tmp_path / "nothing.toml")]).exit_code == 2
