"""The eight points of edwards25519 whose order divides 8, by the group law alone (RFC 8032, section 5.1), in every spelling.

`TORSION` are the public keys under which anybody can sign; `signed_by_nobody` does.
"""

from __future__ import annotations

from base64 import b64encode

__all__ = ["TORSION", "on_curve", "order_divides_8", "signed_by_nobody"]

FIELD = 2**255 - 19
D = -121_665 * pow(121_666, -1, FIELD) % FIELD
# The number of points is 8 times this prime.
PRIME = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int]


def added(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD) % FIELD
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD) % FIELD


def times(number: int, point: Point) -> Point:
    found = (0, 1)
    for bit in f"{number:b}":
        found = added(found, found)
        found = added(found, point) if bit == "1" else found
    return found


def decoded(public: bytes) -> Point | None:
    """Return the point that 32 bytes spell, read as leniently as anybody does; None for no point."""
    number = int.from_bytes(public, "little")
    y, sign = number % 2**255 % FIELD, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if x * x % FIELD != square:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    if x * x % FIELD != square:
        return None
    return (x if x % 2 == sign else -x % FIELD), y


def on_curve(public: bytes) -> bool:
    """Tell whether 32 bytes spell a point at all."""
    return decoded(public) is not None


def order_divides_8(public: bytes) -> bool:
    """Tell whether 32 bytes spell one of the eight points, by multiplying it."""
    point = decoded(public)
    return point is not None and times(8, point) == (0, 1)


def signed_by_nobody(vkey: str, text: str) -> bytes:
    """Return a note with a signature that fits every text under the neutral point, and some under the other seven.

    R is the neutral point and S is 0: what is checked is 0·B = R + k·A, and k·A is neutral where the order of A divides k.
    """
    name, key_id, _ = vkey.split("+", 2)
    encoded = b64encode(bytes.fromhex(key_id) + (1).to_bytes(32, "little") + bytes(32)).decode()
    return f"{text}\n\u2014 {name} {encoded}\n".encode()


def _spellings() -> list[bytes]:
    # What is left of any point after the prime is of small order; one of them makes all eight.
    points = (decoded(y.to_bytes(32, "little")) for y in range(2, 99))
    parts = (times(PRIME, point) for point in points if point is not None)
    whole = next(part for part in parts if times(4, part) != (0, 1))
    eight = [times(number, whole) for number in range(8)]
    found = set()
    for x, y in eight:
        for spelled in (y, y + FIELD):
            # 0 has no sign, so both are read as 0.
            for sign in {x % 2} if x else {0, 1}:
                if spelled < 2**255:
                    found.add((spelled + (sign << 255)).to_bytes(32, "little"))
    return sorted(found)


TORSION = _spellings()
