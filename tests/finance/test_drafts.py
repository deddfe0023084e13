"""Drafts: which amounts stand in a document, where they have to be claimed, chosen, or waited for; and what its text holds."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from ledger.proof.document_proof import DOCUMENT, parse_document
from ledger.proof.errors import ProofError
from ledger.proof.merkle import check_inclusion, leaf_of
from ledger.store.lines import leaf_paths, lines_of, split_lines
from projections.causes import Moved, moved_exclusions, moved_windows
from projections.credits import price
from projections.drafts import Draft, IssuerChoice, draft, statement_text
from projections.restated import reached
from projections.subscriptions import table_of
from tools.terms import terms

_AUTOMATIC = parse_policy(terms("automatic", title="x"))
_ASKED = msgspec.structs.replace(
    _AUTOMATIC, key="asked", claim=msgspec.structs.replace(_AUTOMATIC.claim, how="on-request")
)
_POLICIES = {"automatic": [(1, _AUTOMATIC)], "asked": [(1, _ASKED)]}
_START = 1_646_092_800  # 1 March 2022
_WINDOW = Window(
    "mail-1", "w", "email", "*", "*", _START, _START + 86_400, "outage", regions=("EMEA", "NAM"),
    entries=("incident/mail-1 v2",),
)  # fmt: skip


def _policy_of(key: str, version: int) -> Policy:
    return dict(_POLICIES[key])[version]


def _table(policy: str, count: int = 3) -> pd.DataFrame:
    columns: dict[str, list[str | None]] = {
        "customer": [f"c{at}" for at in range(count)], "subscription": [f"s{at}" for at in range(count)],
        "service": ["email"] * count, "region": [("EMEA", "NAM")[at % 2] for at in range(count)], "policy": [policy] * count,
        "currency": ["EUR"] * count, "fee": ["100.00"] * count, "valid_from": ["2021-01-01"] * count, "valid_to": [None] * count,
    }  # fmt: skip
    return table_of(columns, str)


def _draft(policy: str, claims: list[Claim], count: int = 3) -> Draft:
    table = _table(policy, count)
    frame = price(table, [_WINDOW], _POLICIES, "2022-03", _START + 40 * 86_400)
    return draft(table, frame, IssuerChoice(), claims, _policy_of, _unused)


def _unused(some: pd.DataFrame, incidents: frozenset[str]) -> pd.DataFrame:
    raise AssertionError(f"{len(some)} lines are priced again with {sorted(incidents)}")


def _claim(customer: Any, *incidents: str, state: Any = "granted") -> Claim:
    return Claim(
        "of-c0",
        customer,
        "2022-03",
        "2022-04-01T00:00:00.000000Z",
        incidents,
        state,
        entries=("claim/of-c0 v1", "claim/of-c0 v2"),
    )


@pytest.mark.parametrize(
    ("claims", "amount", "claim"),
    [
        ([], 0, None),
        ([_claim("c0")], 1_000, "claim/of-c0 v2"),
        ([_claim("c0", "mail-1")], 1_000, "claim/of-c0 v2"),
        ([_claim("c0", "mail-2")], 0, None),
        ([_claim("c0", "mail-2", "mail-1")], 1_000, "claim/of-c0 v2"),
        ([_claim("c1")], 0, None),
        ([_claim("c0", state="filed")], 0, None),
        ([_claim("c0", state="refused")], 0, None),
        ([_claim("c0", state="withdrawn")], 0, None),
    ],
)
def test_what_is_paid_on_request_waits_for_a_claim_that_was_granted(
    claims: list[Claim], amount: int, claim: str | None
) -> None:
    line = _draft("asked", claims).lines.set_index("subscription").loc["s0"]
    assert (line["amount"], line["unclaimed"], line["claim"]) == (amount, 1_000 - amount, claim)
    # Who is paid without a claim is not asked for one.
    line = _draft("automatic", claims).lines.set_index("subscription").loc["s0"]
    assert (line["amount"], line["unclaimed"], line["claim"]) == (1_000, 0, None)


def test_the_text_says_what_would_be_paid_on_a_claim() -> None:
    salts = iter([b"a" * 16, b"b" * 16])
    text = statement_text(_draft("asked", [_claim("c0")]), lambda: next(salts))
    lines = [msgspec.json.decode(leaf)["line"] for leaf in split_lines(text)[2:]]
    assert {
        line["subscription"]: (line["amount"], line.get("unclaimed"), line.get("claim")) for line in lines
    } == {
        "s0": ("10.00", None, "claim/of-c0 v2"),
        "s1": ("0.00", "10.00", None),
        "s2": ("0.00", "10.00", None),
    }
    assert "valid_to" not in lines[0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 33])
def test_every_line_leads_to_the_root_and_no_two_have_a_salt_in_common(count: int) -> None:
    salts = iter([sha256(b"1").digest()[:16], sha256(b"2").digest()[:16]])
    text = statement_text(_draft("automatic", [], count), lambda: next(salts))
    leaves = split_lines(text)
    found = lines_of(text).lines
    assert len({msgspec.json.decode(leaf)["salt"] for leaf in leaves}) == len(leaves)
    for at, path in leaf_paths(leaves, range(len(leaves))).items():
        check_inclusion(leaf_of(leaves[at]), at, len(leaves), path, bytes.fromhex(found.root))


def test_the_order_of_the_table_and_of_its_parts_changes_no_assessment() -> None:
    """Given the same subscriptions in another order, then the assessments are the same, in the same order."""
    table = _table("automatic", 6)
    turned = table.iloc[::-1].reset_index(drop=True)
    frames = [price(one, [_WINDOW], _POLICIES, "2022-03", _START + 40 * 86_400) for one in (table, turned)]
    one, other = (
        draft(t, f, IssuerChoice(), [], _policy_of, _unused)
        for t, f in zip((table, turned), frames, strict=True)
    )
    assert one.facts == other.facts
    assert [facts["region"] for facts in one.facts] == ["EMEA", "NAM"]


def test_a_table_published_again_is_in_no_assessment() -> None:
    table = _table("automatic")
    frames = [
        price(
            table, [_WINDOW], _POLICIES, "2022-03", _START + 40 * 86_400, (f"subscriptions/all v{version}",)
        )
        for version in (1, 2)
    ]
    one, other = (draft(table, frame, IssuerChoice(), [], _policy_of, _unused) for frame in frames)
    assert one.facts == other.facts


_EXCLUSION = Exclusion(
    "storm", "force-majeure", "*", "*", "EMEA", _START, _START + 60, entries=("exclusion/storm v1",)
)


def test_what_moved_is_what_differs_and_touches_its_places() -> None:
    longer = msgspec.structs.replace(
        _WINDOW, end=_START + 90_000, entries=("incident/mail-1 v2", "incident/mail-1 v3")
    )
    assert moved_windows([_WINDOW], [_WINDOW], lambda *_: (), later=False) == []
    (moved,) = moved_windows([_WINDOW], [longer], lambda *_: ("incident/mail-1 v3",), later=False)
    assert moved.entries == ("incident/mail-1 v3",)
    assert moved.touches("email", "EMEA")
    assert not moved.touches("web", "EMEA")
    # A window that is still open has moved when time has passed.
    still = msgspec.structs.replace(_WINDOW, end=None)
    assert moved_windows([still], [still], lambda *_: (), later=False) == []
    assert [one.entries for one in moved_windows([still], [still], lambda *_: (), later=True)] == [
        _WINDOW.entries
    ]
    # One that is no longer told has moved, too.
    assert [one.windows for one in moved_windows([_WINDOW], [], lambda *_: (), later=False)] == [(_WINDOW,)]


def test_an_exclusion_that_was_recorded_revised_or_withdrawn_has_moved() -> None:
    withdrawn = msgspec.structs.replace(
        _EXCLUSION, withdrawn=True, entries=("exclusion/storm v1", "exclusion/storm v2")
    )
    assert moved_exclusions([_EXCLUSION], [_EXCLUSION]) == []
    assert [one.entries for one in moved_exclusions([], [_EXCLUSION])] == [("exclusion/storm v1",)]
    (moved,) = moved_exclusions([_EXCLUSION], [withdrawn])
    assert moved.entries == ("exclusion/storm v2",)
    assert moved.touches("web", "EMEA")
    assert not moved.touches("web", "NAM")
    assert moved.touches("web", "NAM", any_region=True)


def test_a_policy_that_looks_further_is_reached_from_further() -> None:
    """Given a window of a service in two regions, then it reaches a third where terms look at all, and no other service."""
    first = _AUTOMATIC.commitments[0]
    union = msgspec.structs.replace(first, scope=msgspec.structs.replace(first.scope, regions="union"))
    wide = msgspec.structs.replace(_AUTOMATIC, commitments=(union,))
    moved = [Moved(("incident/mail-1 v3",), (_WINDOW,))]
    for service, region, by_each, by_all in (
        ("email", "EMEA", True, True),
        ("email", "APAC", False, True),
        ("web", "EMEA", False, False),
    ):
        one = {"service": service, "region": region, "policy": "x", "policy_version": 1}
        assert reached(moved, lambda *_: _AUTOMATIC)(one) is by_each
        assert reached(moved, lambda *_: wide)(one) is by_all


@given(
    st.binary(max_size=200),
    st.sampled_from(["", "entry ", "leaf ", "leaf 0 ", "entry e30=\n"]),
    st.booleans(),
)
def test_no_file_makes_the_reader_of_proofs_raise_anything_but_its_own_error(
    content: bytes, start: str, parted: bool
) -> None:
    head = f"{DOCUMENT}\n{start}".encode()
    with pytest.raises(ProofError):
        parse_document(
            head + content + (b"\n\nc2sp.org/tlog-proof@v1\nindex 0\n\no\n1\n" if parted else b"")
        ).check()
