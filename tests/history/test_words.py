"""Words and lines that changed: both texts can be had back from the answer, whatever they are."""

from __future__ import annotations

import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from projections.words import kept_lines, words_changed

_texts = st.lists(
    st.sampled_from(["mail ", "lost ", "was ", ".", "\n", "EMEA", " ", "-]", "{+"]), max_size=40
).map("".join)


def test_what_was_taken_and_what_was_put() -> None:
    assert words_changed("Mail in EMEA was late.", "Mail in EMEA and NAM was late.") == (
        ("same", "Mail in EMEA"), ("put", " and NAM"), ("same", " was late.")
    )  # fmt: skip
    assert words_changed("It is over.", "It is not over.") == (
        ("same", "It is"), ("put", " not"), ("same", " over.")
    )  # fmt: skip
    assert words_changed("", "New.") == (("put", "New."),)
    assert words_changed("Old.", "Old.") == (("same", "Old."),)
    assert words_changed("", "") == ()


@given(_texts, _texts)
def test_both_texts_can_be_had_back(before: str, after: str) -> None:
    parts = words_changed(before, after)
    assert "".join(text for change, text in parts if change != "put") == before
    assert "".join(text for change, text in parts if change != "taken") == after
    assert all(text for _, text in parts)
    assert all(one[0] != other[0] for one, other in itertools.pairwise(parts))


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_kept_lines_are_the_same_and_in_order(before: list[str], after: list[str]) -> None:
    kept = kept_lines(before, after)
    assert all(after[here] == before[there] for here, there in kept.items())
    places = [kept[here] for here in sorted(kept)]
    assert places == sorted(set(places))
    if before == after:
        assert kept == {at: at for at in range(len(after))}


def test_texts_at_the_limit_are_compared_in_time() -> None:
    for one, other in (
        ("a b " * 6_000, "b a c " * 4_000),
        ("word " * 5_000, "word " * 4_999 + "other"),
        (
            "\n".join(f"line {at % 7}" for at in range(3_000)),
            "\n".join(f"line {at % 5}" for at in range(3_000)),
        ),
    ):
        start = time.process_time()
        parts = words_changed(one, other)
        kept_lines(one.split("\n"), other.split("\n"))
        assert time.process_time() - start < 5
        assert "".join(text for change, text in parts if change != "put") == one
