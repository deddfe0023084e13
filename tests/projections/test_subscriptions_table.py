"""Subscriptions are read whole or refused with every bad row."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ledger.errors import Refused, Unavailable
from projections.subscriptions import COLUMNS, read_subscriptions

HEADER = ",".join(COLUMNS)
GOOD = f"""\
{HEADER}
Acme,acme-1,email,EMEA,email-standard,USD,1200.00,2022-01-01,
"Bêta, Ltd.",beta-1,email,NAM,email-standard,JPY,90000,2022-01-01,2023-01-01
Gulf,gulf-1,email,EMEA,email-standard,BHD,1.5,2022-03-15,
"""


def problems(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        read_subscriptions(text.encode() if isinstance(text, str) else text, "csv")
    assert refused.value.exit_code == 1
    return refused.value.problems


def test_a_table_has_fees_in_minor_units_and_dates() -> None:
    table = read_subscriptions(GOOD.encode(), "csv")
    assert table["customer"].tolist() == ["Acme", "Bêta, Ltd.", "Gulf"]
    assert table["fee"].tolist() == [120_000, 90_000, 1500]
    assert table["minor_units"].tolist() == [2, 0, 3]
    assert str(table["fee"].dtype) == "int64"
    assert table["valid_to"].isna().tolist() == [True, False, True]
    assert table["valid_from"].tolist()[2] == pd.Timestamp("2022-03-15")
    assert isinstance(table["region"].dtype, pd.CategoricalDtype)


def test_columns_may_stand_in_any_order_and_with_a_byte_order_mark() -> None:
    lines = [line.split(",") for line in GOOD.replace('"Bêta, Ltd."', "Beta").splitlines()]
    turned = "\r\n".join(",".join(reversed(line)) for line in lines)
    assert read_subscriptions(b"\xef\xbb\xbf" + turned.encode(), "csv")["fee"].tolist() == [
        120_000,
        90_000,
        1500,
    ]


def test_a_table_without_rows_is_a_table() -> None:
    assert len(read_subscriptions(HEADER.encode(), "csv")) == 0


def test_a_path_is_read_and_a_missing_one_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(GOOD, encoding="utf-8")
    assert len(read_subscriptions(tmp_path / "table.csv", "csv")) == 3
    with pytest.raises(Unavailable, match="cannot be read: No such file or directory; check the path"):
        read_subscriptions(tmp_path / "none.csv", "csv")


def test_every_bad_row_is_told_with_its_line() -> None:
    text = f"""\
{HEADER}
Acme,acme-1,email,EMEA,email-standard,USD,1200.00,2022-01-01,
Acme,acme-1,email,EMEA,email-standard,USD,1200.00,2022-01-01,
Acme,acme-2,email,EMEA,email-standard,usd,1200.00,2022-01-01,
Acme,acme-3,email,EMEA,email-standard,USD,1200.005,2022-01-01,
Acme,acme-4,email,EMEA,email-standard,JPY,-5,2022-01-01,

,acme-5,email,*,Email Standard,EUR,5,2022-13-01,
Acme,acme-6,email, EMEA,email-standard,EUR,5,2022-03-01,2022-03-01
Acme,acme-7,email,unknown,email-standard,EUR,99999999999999999999,,2022-03-01
"""
    assert problems(text) == (
        "line 3: subscription 'acme-1' is already on line 2; each may be there once",
        "line 4: currency 'usd' is not an ISO 4217 code of money (did you mean 'USD'?); write it like USD",
        "line 5: fee '1200.005' has 3 decimals, but USD has 2; write it like 1200.00",
        "line 6: fee '-5' is not written as 1200; an amount may not be negative",
        "line 8: customer is empty; fill it in",
        "line 8: region '*' has a meaning of its own in windows; write the name of one",
        "line 8: policy 'Email Standard' is not a key; use 1 to 64 small letters, digits and hyphens, such "
        "as email-2022-03",
        "line 8: valid_from '2022-13-01' is not a date; write it like 2022-01-01",
        "line 9: region ' EMEA' is not a name: 1 to 200 characters without control characters, not starting "
        "or ending with a space",
        "line 9: valid_to 2022-03-01 is not after valid_from 2022-03-01; the first day that is no longer "
        "valid comes later",
        "line 10: region 'unknown' has a meaning of its own in windows; write the name of one",
        "line 10: fee '99999999999999999999' is more than 9,223,372,036,854,775,807 minor units; check the "
        "fee",
        "line 10: valid_from is empty; write a date like 2022-01-01",
    )


def test_a_long_list_is_cut_in_the_sentence_but_not_in_the_problems() -> None:
    text = HEADER + "\n" + "".join(f"A,s{i},email,EMEA,p,USD,x,2022-01-01,\n" for i in range(50))
    with pytest.raises(Refused) as refused:
        read_subscriptions(text.encode(), "csv")
    assert len(refused.value.problems) == 50
    assert str(refused.value).startswith("the subscriptions were not read: line 2: fee 'x'")
    assert str(refused.value).endswith("; and 30 more")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD.replace("valid_to", "valid_until"),
            "column 'valid_until' is unknown (did you mean 'valid_to'?)",
        ),
        (GOOD.replace("valid_to", "valid_until"), "column 'valid_to' is missing; add it"),
        (GOOD.replace("customer", "fee"), "column 'fee' is there twice; name each once"),
        (
            GOOD.replace(",gulf-1", ""),
            "line 4 has 8 fields, but the header has 9; check its commas and quotes",
        ),
        (GOOD.replace('Ltd."', 'Ltd."x'), "line 3 of the subscriptions is not CSV"),
        (b"\xff\xfe", "the subscriptions are not UTF-8 text (byte 0); save the CSV as UTF-8"),
        (b"", "column 'customer' is missing; add it"),
    ],
)
def test_what_is_wrong_with_the_file_is_a_sentence(text: str | bytes, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(text))


def parquet(**changes: list[Any]) -> bytes:
    columns: dict[str, list[Any]] = {
        "customer": ["Acme", "Beta"], "subscription": ["acme-1", "beta-1"], "service": ["email", "email"],
        "region": ["EMEA", "NAM"], "policy": ["email-standard"] * 2, "currency": ["USD", "JPY"],
        "fee": [Decimal("1200.50"), Decimal("90000.00")], "valid_from": [date(2022, 1, 1)] * 2,
        "valid_to": [None, date(2023, 1, 1)],
    }  # fmt: skip
    target = io.BytesIO()
    pd.DataFrame({**columns, **changes}).to_parquet(target, engine="pyarrow", index=False)
    return target.getvalue()


def test_parquet_and_csv_of_the_same_table_are_equal() -> None:
    text = f"{HEADER}\nAcme,acme-1,email,EMEA,email-standard,USD,1200.50,2022-01-01,\n"
    text += "Beta,beta-1,email,NAM,email-standard,JPY,90000,2022-01-01,2023-01-01\n"
    expected = read_subscriptions(text.encode(), "csv")
    pd.testing.assert_frame_equal(read_subscriptions(parquet(), "parquet"), expected)
    as_text = parquet(fee=["1200.50", "90000"], valid_from=["2022-01-01"] * 2, valid_to=[None, "2023-01-01"])
    pd.testing.assert_frame_equal(read_subscriptions(as_text, "parquet"), expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (parquet(fee=[1.5, 2.5]), "column fee has the type double; store it as decimal or string"),
        (parquet(customer=[1, 2]), "column customer has the type int64; store it as string"),
        (parquet(currency=["USD", None]), "row 2: currency '' is not an ISO 4217 code of money"),
        (b"PAR1", "the subscriptions are not Parquet"),
    ],
)
def test_what_is_wrong_with_a_parquet_file_is_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(Refused) as refused:
        read_subscriptions(content, "parquet")
    assert any(problem.startswith(said) for problem in refused.value.problems)
