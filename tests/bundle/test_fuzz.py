"""Whatever bytes they get, the readers of bundles raise nothing but their own error, and say true of nothing but the original."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.proof.bundle_check import check_bundle, open_bundle
from ledger.proof.canonical import canonical, read_canonical
from ledger.proof.container import read_members
from ledger.proof.errors import ProofError
from ledger.proof.note import key_of
from tools.attack import rebuilt
from tools.small_ledger import Desk, make, members_of
from tools.verify_bundle import verdict


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, list[bytes]]:
    desk = make(tmp_path_factory.mktemp("fuzz"))
    scopes = (("emea-1",), ("--customer", "Aurora Rail"), ("--all",))
    return desk, [desk.bundle(*words, key="next.key") for words in scopes]


def codes(content: bytes, key: str) -> tuple[int, int]:
    """Return how the ledger and the verifier of one file end; nothing else may come of it."""
    try:
        report = check_bundle(open_bundle(content), [key_of(key)])
        ours = 1 if report.problems else 0 if report.signed_by else 3
    except ProofError as error:
        ours = error.exit_code
    return ours, verdict(content, {key})[0]


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_of_bundles_put_together_anew(bundles: tuple[Desk, list[bytes]], data: st.DataObject) -> None:
    desk, contents = bundles
    one, other = data.draw(st.sampled_from(contents)), data.draw(st.sampled_from(contents))
    cut, on = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    mixed = one[:cut] + data.draw(st.binary(max_size=40)) + other[on:]
    assert codes(mixed, desk.vkey(0)) == ((0, 0) if mixed in contents else (1, 1))


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_members_with_anything_in_them(bundles: tuple[Desk, list[bytes]], data: st.DataObject) -> None:
    """The container well written, the manifest made to fit, the statement about it: what is inside is still read strictly."""
    desk, contents = bundles
    members = members_of(data.draw(st.sampled_from(contents)))
    name = data.draw(st.sampled_from(sorted(members)))
    kept = members[name]
    cut, on = data.draw(st.integers(0, len(kept))), data.draw(st.integers(0, len(kept)))
    put = data.draw(st.one_of(st.binary(max_size=20), JSON.map(canonical), st.just(b"\n"), st.just(b"{}\n")))
    altered = {**members, name: kept[:cut] + put + kept[on:]}
    if name == "statement.note" or altered[name] != kept:
        assert codes(rebuilt(altered), desk.vkey(0)) == (1, 1) or rebuilt(altered) in contents


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz_", max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_manifests_of_any_shape(bundles: tuple[Desk, list[bytes]], data: st.DataObject) -> None:
    desk, contents = bundles
    members = members_of(data.draw(st.sampled_from(contents)))
    manifest = json.loads(members["manifest.json"])
    name = data.draw(st.sampled_from([*sorted(manifest), "zz"]))
    altered = {**manifest, name: data.draw(JSON)}
    content = rebuilt({**members, "manifest.json": canonical(altered)})
    assert codes(content, desk.vkey(0)) == ((0, 0) if content in contents else (1, 1))


@given(JSON)
def test_canonical_json_is_read_back(value: Any) -> None:
    """Both write the same bytes, unless a text holds U+0000, which neither takes."""
    raw = canonical(value)
    python = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert raw == python
    if "\\u0000" in json.dumps(value).replace("\\\\", ""):
        with pytest.raises(ProofError):
            read_canonical(raw, "it")
    else:
        assert read_canonical(raw, "it") == value


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    for reader in (read_members, open_bundle, lambda one: read_canonical(one, "it")):
        try:
            reader(content)
        except ProofError:
            continue
    assert verdict(content, set())[0] == 1
