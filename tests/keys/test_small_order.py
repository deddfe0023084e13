"""Keys under which anybody can sign are told apart by the group law, and by each of the three rules that refuse them."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain import ed25519
from ledger.domain.keys import spell_vkey
from ledger.proof import small_order
from ledger.proof.rotations import check_keys
from tools.torsion import FIELD, TORSION, order_divides_8
from tools.verify_bundle import Stop, public


def refused_by_the_tool(key: bytes) -> bool:
    try:
        return public(spell_vkey("k", key)) != key
    except Stop:
        return True


RULES: list[Callable[[bytes], bool]] = [
    ed25519.is_small_order, small_order.is_small_order, refused_by_the_tool, order_divides_8,
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=["published", "verified", "alone", "group law"])
def test_each_spelling_of_each_of_the_eight_points_is_refused(rule: Callable[[bytes], bool]) -> None:
    assert len(TORSION) == 14
    assert [key.hex() for key in TORSION if not rule(key)] == []
    # Two of order 8, as the list of keys that libsodium refuses has them.
    assert {
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    } <= {key.hex() for key in TORSION}


@pytest.mark.parametrize("rule", RULES[:3], ids=["published", "verified", "alone"])
def test_no_other_key_is(rule: Callable[[bytes], bool]) -> None:
    """Keys as they are made, the values beside those of small order, and the last 38 that 255 bits can spell."""
    made = [sha256(b"%d" % number).digest() for number in range(200)]
    others = [Ed25519PrivateKey.from_private_bytes(one).public_key().public_bytes_raw() for one in made]
    near = {int.from_bytes(one, "little") + step for one in TORSION for step in (-1, 1)} | {
        *range(FIELD - 19, 2**255)
    }
    others += [one.to_bytes(32, "little") for one in near if 0 <= one < 2**256]
    wrong = [one.hex() for one in others if rule(one) != (one in TORSION)]
    assert wrong == []


@pytest.mark.parametrize("key", TORSION, ids=bytes.hex)
def test_verification_names_them_in_a_stream(key: bytes) -> None:
    header = {"position": 1, "stream": "key/main", "type": "key.published", "version": 1}
    entry = {"data": {"vkey": spell_vkey("k", key)}, "header": header}
    [fault] = check_keys([json.dumps(entry).encode()]).faults
    assert (fault.position, fault.kind) == (1, "vkey-malformed")
    assert "under which anybody can sign" in fault.detail
