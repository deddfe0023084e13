"""The eight points of edwards25519 whose order divides 8, by the group law alone (RFC 8032, section 5.1), in every spelling."""

from __future__ import annotations

__all__ = ["TORSION", "on_curve", "order_divides_8"]

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
    return decoded(public) is not None


def order_divides_8(public: bytes) -> bool:
    point = decoded(public)
    return point is not None and times(8, point) == (0, 1)


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
