"""What the lines of a document add up to is the same for those who issue it and those who check it from outside."""

from __future__ import annotations

import json
from decimal import localcontext
from fractions import Fraction
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.events import ServiceDays
from ledger.domain.money import decimal_text, format_money
from ledger.proof.documents import DocumentFault, check_documents
from ledger.store.lines import lines_of
from projections.consequences_compared import _totals_difference
from projections.workbook.lines import exactly, major


def _text(lines: list[dict[str, str]]) -> bytes:
    """The text of one assessment with lines that rest on it."""
    leaves = [
        json.dumps({"line": {"assessment": 0, **line}, "salt": "00" * 16}, separators=(",", ":")).encode()
        + b"\n"
        for line in lines
    ]
    first = {"assessment": {"lines": len(leaves), "bytes": sum(map(len, leaves))}, "salt": "11" * 16}
    return json.dumps(first, separators=(",", ":")).encode() + b"\n" + b"".join(leaves)


def _faults(content: bytes, **instead: Any) -> list[DocumentFault]:
    """What the check from outside finds in a document that says of these lines what the ledger does."""
    added = lines_of(content)
    data = {
        "number": 1, "rests_on": {"position": 1, "root": "00" * 32}, "lines": msgspec.to_builtins(added.lines),
        "totals": [{k: v for k, v in msgspec.to_builtins(one).items() if v is not None} for one in added.totals],
    }  # fmt: skip
    if added.service_days is not None:
        said = msgspec.to_builtins(added.service_days)
        data["service_days"] = {name: value for name, value in said.items() if value is not None}
    header = {"position": 2, "stream": "statement/main", "type": "statement.issued"}
    entry = json.dumps({"header": header, "data": {**data, **instead}}).encode()
    kept = {sha256(content).hexdigest(): content}
    return list(check_documents([entry], lambda size: bytes(32), kept.get))


_LONG = {"currency": "EUR", "amount": "0.00"}


def test_days_of_more_digits_than_a_decimal_context_add_up() -> None:
    content = _text(
        [
            {**_LONG, "service_days": "1000000000000000.000000000000001"},
            {**_LONG, "service_days": "0.1"},
        ]
    )
    assert lines_of(content).service_days == ServiceDays(2, "1000000000000000.100000000000001")
    assert _faults(content) == []
    [fault] = _faults(content, service_days={"lines": 2, "days": "1000000000000000.1"})
    assert fault.kind == "document-totals"
    assert "add up to 1000000000000000.100000000000001 days of service" in fault.detail


_DAYS = st.builds(
    lambda number, places: decimal_text(Fraction(number, 10**places)),
    st.integers(-(10**45), 10**45), st.integers(25, 30),
)  # fmt: skip
_LINES = st.lists(
    st.fixed_dictionaries(
        {
            "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
            "units": st.integers(-(10**40), 10**40),
            "waived": st.integers(-(10**40), -1) | st.none(),
            "service_days": _DAYS | st.none(),
            "service_days_waived": _DAYS | st.none(),
        }
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(_LINES)
def test_whatever_is_issued_adds_up_from_outside(made: list[dict[str, Any]]) -> None:
    lines = []
    for one in made:
        line = {"currency": one["currency"], "amount": format_money(one["units"], one["currency"])}
        if one["waived"] is not None:
            line["waived"] = format_money(one["waived"], one["currency"])
        if one["service_days"] is not None:
            line |= {
                name: one[name] for name in ("service_days", "service_days_waived") if one[name] is not None
            }
        lines.append(line)
    assert _faults(_text(lines)) == []


@pytest.mark.parametrize("days", ["1e999999", "1e-999999", "1e99999999", "sNaN", "x", None])
def test_a_number_that_nobody_can_add_is_a_fault(days: Any) -> None:
    content = _text([{**_LONG, "service_days": "1"}, {**_LONG, "service_days": "0.5"}])
    forged = content.replace(b'"0.5"', json.dumps(days).encode())
    entry = {"sha256": sha256(forged).hexdigest(), "root": "00" * 32, "assessments": 1, "lines": 2}
    header = {"position": 2, "stream": "statement/main", "type": "statement.issued"}
    data = {"number": 1, "rests_on": {"position": 1, "root": "00" * 32}, "lines": entry, "totals": []}
    faults = list(
        check_documents(
            [json.dumps({"header": header, "data": data}).encode()],
            lambda size: bytes(32),
            lambda digest: forged,
        )
    )
    assert "document-unreadable" in [one.kind for one in faults]


def test_amounts_beyond_a_decimal_context_keep_their_digits() -> None:
    """What is subtracted or scaled for a reader keeps every digit, whatever context a thread has."""
    before, after = "10000000000000000000000000000.01", "20000000000000000000000000000.03"
    with localcontext(prec=5):
        [row] = _totals_difference(
            [{"period": "2022-03", "currency": "EUR", "credit": before}],
            [{"period": "2022-03", "currency": "EUR", "credit": after}],
        )
        assert row["delta"] == "10000000000000000000000000000.02"
        assert exactly(1234567890123456789, "EUR") == "12345678901234567.89"
        assert f"{major(1234567890123456789, 100):f}" == "12345678901234567.89"
