"""Finance with terms that pay in days of service, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.finance.desk import Desk
from tools.terms import terms_2

__all__ = ["CUSTOMERS", "TERMS", "Days"]

TERMS = terms_2(
    "days",
    tiers="""[[tiers]]
downtime_at_most = "4 hours"
service_days = "0"
[[tiers]]
downtime_above = "4 hours"
service_days = "0.5"
per = "block"
block = "1 hour"
""",
)
CUSTOMERS = """customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
Aurora Rail,aurora,mail,EMEA,days,EUR,100.00,2021-01-01,
Baltic Timber,baltic,mail,EMEA,days,EUR,200.00,2021-01-01,
Cedar Clinics,cedar,mail,NAM,days,USD,300.00,2021-01-01,
"""


class Days:
    """A desk whose customers are given days of service: six hours of March are down in EMEA, so 3 days."""

    def __init__(self, url: str, folder: Path, more: str = "") -> None:
        self.desk = Desk(url, folder)
        self.terms(more)
        self.desk.file("mail.csv", CUSTOMERS)
        self.desk.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
        self.desk.ok("incident", "open", "mail-2", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
                     "--component", "flow", "--region", "EMEA", "--region", "NAM")  # fmt: skip
        self.desk.ok("window", "add", "mail-2", "w", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
                     "--start", "2022-03-20T10:00:00Z", "--end", "2022-03-20T16:00:00Z", "--effect", "outage")  # fmt: skip

    def terms(self, more: str) -> None:
        self.desk.file("days.toml", TERMS + more)
        self.desk.ok("policy", "publish", "days.toml", "--actor", "f")

    def until(self, end: str, *more: str) -> None:
        self.desk.revise("w", f"2022-03-20T{end}:00Z", *more, incident="mail-2")

    def issue(self, *more: str) -> dict[str, Any]:
        found: dict[str, Any] = self.desk.issue("--subscriptions", "mail", *more)
        return found

    def adjust(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.desk.ok("credits", "restate", "1", "--issue", "--actor", "f", "--json")
        )
        return found

    def lines(self, number: int) -> dict[str, dict[str, str]]:
        """By subscription what a document's line says of days, without the common start of the names."""
        shown = json.loads(self.desk.ok("credits", "show", str(number), "--json"))
        return {
            line["subscription"]: {
                name.removeprefix("service_days").lstrip("_"): value for name, value in line.items() if name.startswith("service_days")
            }
            for line in shown["details"]["lines"]
        }  # fmt: skip
