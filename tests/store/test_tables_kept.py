"""A table named by digest is kept, or has a place: an entry whose content nobody has would be missing for ever."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from ledger.append import Appender
from ledger.domain.actions import parse_action
from ledger.errors import Refused
from ledger.store.verify import verify

_CONTENT = b"customer\nAcme\n"
_TABLE = {"sha256": sha256(_CONTENT).hexdigest(), "format": "csv", "rows": 1}
_PLACE = {"incident": "a", "actor": "ops", "service": "s", "component": "*", "region": "*"}
_SPAN = {"start": "2022-03-14T16:00:00Z", "end": "2022-03-14T17:00:00Z", "of": "requests"}


def _published(verb: str, kind: str, **table: Any) -> dict[str, Any]:
    return {"action": verb, kind: "x", "actor": "o", "table": {**_TABLE, **table}}


def _measured(**series: Any) -> dict[str, Any]:
    return {
        "action": "record-measurement",
        "measurement": "m",
        **_PLACE,
        **_SPAN,
        "series": {**_TABLE, **series},
    }


_ACTIONS = [
    (_published("publish-cohort", "cohort"), "table", "path"),
    (_published("publish-subscriptions", "subscriptions"), "table", "path"),
    (_measured(), "series", "series_path"),
]


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Appender]:
    found = Appender(sqlite_url)
    found.create("tables-test")
    found.record("open", "a", actor="ops", title="t", status="investigating", services=["s"])
    yield found
    found.close()


@pytest.mark.parametrize(("action", "field", "way"), _ACTIONS)
def test_without_content_and_location_it_is_refused(
    ledger: Appender, action: dict[str, Any], field: str, way: str
) -> None:
    with pytest.raises(Refused) as refused:
        ledger.append([parse_action(dict(action))])
    assert str(refused.value) == (
        f"{field} {_TABLE['sha256']} has no content and no location; name its file with {way}, and add by_location if it is "
        "to stay where it is"
    )
    assert verify(ledger.sealed).ok


@pytest.mark.parametrize(("action", "field", "way"), _ACTIONS)
def test_with_content_it_is_kept(ledger: Appender, action: dict[str, Any], field: str, way: str) -> None:
    ledger.append([parse_action(dict(action), content=_CONTENT)])
    assert ledger.sealed.content(str(_TABLE["sha256"])) == _CONTENT
    assert verify(ledger.sealed).ok
    with pytest.raises(Refused, match="is not the digest of the table"):
        ledger.append(
            [
                parse_action(
                    {**action, "measurement": "n"} if field == "series" else dict(action), content=b"x"
                )
            ]
        )


@pytest.mark.parametrize(
    "action",
    [_published("publish-cohort", "cohort", location="/a/t.csv"), _measured(location="/a/t.csv")],
)
def test_with_a_location_it_is_recorded(ledger: Appender, action: dict[str, Any]) -> None:
    ledger.append([parse_action(dict(action))])
    assert verify(ledger.sealed).ok


def test_a_correction_may_name_a_series_that_is_kept(ledger: Appender) -> None:
    ledger.append([parse_action(_measured(), content=_CONTENT)])
    ledger.record(
        "correct",
        "a",
        actor="ops",
        corrects="v2",
        kind="correction",
        set={"series": {**_TABLE, "rows": 2}},
        reason="r",
    )
    with pytest.raises(Refused, match="record the series as a measurement of its own"):
        ledger.record(
            "correct", "a", actor="ops", corrects="v2", kind="correction", set={"series": {**_TABLE, "sha256": "0" * 64}},
            reason="r",
        )  # fmt: skip
    assert verify(ledger.sealed).ok
