"""What is doubtful in the terms of an SLA: holes and overlaps between tiers, promises that pay, tiers nobody reaches.

A policy with such faults may be a true copy of a contract that has them; `reading` and `source.note` are where it says so.
An `error` is what no policy can be priced by, or an example that comes out otherwise; a `warning` is what its author should
look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import msgspec

from ledger.domain.money import decimal_text
from ledger.domain.policy.model import Commitment, Counting, Policy, Quantity, Tier, tables_of_sums
from ledger.domain.policy.periods import possible_days
from ledger.domain.policy.reading import Place, Problems, between, holes, load, places, shared
from ledger.domain.policy.values import duration_text
from ledger.domain.policy.words import base_words, remedy_words
from ledger.errors import Refused

__all__ = ["KINDS", "Finding", "lint"]

Level = Literal["error", "warning"]

# Every kind of finding, and what it says; docs/policy-language.md lists them from here.
KINDS: dict[str, str] = {
    "not-toml": "The text is no TOML.",
    "wrong-value": "A value is missing, of the wrong kind, or has no meaning beside the others.",
    "unknown-key": "A key that the format does not know.",
    "too-large": "A sum of money beyond what a row can be credited.",
    "gap": "A range in no tier.",
    "decimal-hole": "A gap that comes from bounds written to some decimals, such as 98.99 and 99.0.",
    "overlap": "A range in several tiers.",
    "met-but-pays": "A tier pays, or the contract may be ended, although the target is met or, where no target is stated, at the best there is.",
    "missed-but-free": "A tier pays nothing although the target is missed.",
    "worse-pays-less": "A worse tier pays less than a better one, or loses the right to end the contract.",
    "unreachable-tier": "Nothing that can be measured leads to the tier or right, or another tier always holds instead.",
    "reading-decided": "`facts.undecided` takes one end also where `reading` leaves open what the tiers mean, which no fact ever decides.",
    "unlike-remedies": "`best-of` among money and days of service, which cannot be compared: of each kind the best is given.",
    "limit-cuts": "A limit keeps a tier from ever paying what it says: it is below it or, for `only_above`, never below it.",
    "sums-without-currencies": "Sums name some currencies, but `currencies` is left out, so that a fee in another one stops a run of credits.",
    "example-contradicts": "An example of the policy that its own terms contradict.",
    "not-verified": "The figures were not, or not all, compared with their source.",
}


class Finding(msgspec.Struct, frozen=True):
    """One doubt. kind: one of KINDS. commitment: which one, where the policy has several."""

    kind: str
    level: Level
    sentence: str
    commitment: str = ""


def lint(text: str) -> tuple[Policy | None, list[Finding]]:
    """Return the policy of a TOML text, None where it cannot be read even leniently, and what is doubtful in it.

    What tiers pay is not looked at here (`projections.doubts`), and examples are not run (`projections.evaluation.examples`):
    both need the calculator, which the domain does not know.
    """
    try:
        document = load(text)
    except Refused as error:
        return None, [Finding("not-toml", "error", str(error))]
    problems = Problems(tolerated=("gap", "overlap", "unknown-key"))
    if document.get("format") == 2 and type(document["format"]) is int:
        from ledger.domain.policy.format_2 import read
    else:
        from ledger.domain.policy.format_1 import read
    from ledger.domain.policy import policy_sha256

    policy = read(document, policy_sha256(text), problems)
    found = [
        Finding(kind, "error", sentence)
        for kind, sentence in [
            *(said for said in problems.noted if said[0] == "unknown-key"),
            *zip(problems.kinds, problems.found, strict=True),
        ]
    ]
    if policy is None:
        return None, found
    for commitment in policy.commitments:
        found += _of_tiers(policy, commitment)
    found += [*_unlike(policy), *_currencies(policy)]
    if policy.source is not None and policy.source.state != "verified":
        note = f": {policy.source.note}" if policy.source.note else ""
        found.append(
            Finding("not-verified", "warning", f"source.state is {policy.source.state}{note}; compare it with the contract you signed")
        )  # fmt: skip
    return policy, found


def _unlike(policy: Policy) -> Iterator[Finding]:
    """Yield a finding where the best is taken of several that give money, days of service, or one of them each."""
    tiers = [(one.name, tier.remedy) for one in policy.commitments for tier in one.tiers]
    money = dict.fromkeys(name for name, remedy in tiers if remedy.pays_money)
    days = dict.fromkeys(name for name, remedy in tiers if remedy.service_days)
    for key, several in (("commitments", len(policy.commitments) > 1), ("incidents", True)):
        if several and money and days and getattr(policy.stacking, key) == "best-of":
            names = [" and ".join(filter(None, some)) for some in (money, days)]
            where = [f" (of {name})" if name else "" for name in names]
            yield Finding(
                "unlike-remedies", "warning",
                f"stacking.{key} is best-of, but money{where[0]} and days of service{where[1]} cannot be compared: the best of each kind is given, "
                "so that both may be; where the customer gets one of them, write choose-one",
            )  # fmt: skip


def _currencies(policy: Policy) -> Iterator[Finding]:
    """Yield a finding where sums name currencies that the terms do not list: whoever bills in another one learns it too late."""
    if policy.currencies:
        return
    tables = [(name, sums) for name, sums in tables_of_sums(policy.limits, policy.commitments) if sums]
    codes = sorted({code for _, sums in tables for code, _ in sums})
    if tables:
        listed = ", ".join(f'"{code}"' for code in codes)
        yield Finding(
            "sums-without-currencies", "warning",
            f"{' and '.join(name for name, _ in tables)} {'has' if len(tables) == 1 else 'have'} sums in {', '.join(codes)}, but "
            f"currencies is left out, so a fee in another currency stops a whole run of credits; add currencies = [{listed}]",
        )  # fmt: skip


def _of_tiers(policy: Policy, commitment: Commitment) -> Iterator[Finding]:
    for kind, level, sentence in (
        *_gaps(commitment), *_overlaps(policy, commitment), *_unreachable(policy, commitment), *_decided(policy, commitment),
    ):  # fmt: skip
        yield Finding(kind, level, sentence, commitment.name)


Found = Iterator[tuple[str, Level, str]]


def _gaps(commitment: Commitment) -> Found:
    level: Level = "error" if commitment.gaps == "refused" else "warning"
    meaning = {
        "refused": "add or widen a tier, or say with reading.gaps what it means",
        "undecided": "reading.gaps leaves open what it pays",
        "pays-nothing": "reading.gaps says that it pays nothing",
    }[commitment.gaps]
    for place in holes(commitment.tiers, commitment.tiers_of):
        below, above = _beside(commitment, place)
        where = between(*place, commitment.tiers_of)
        if below is not None and above is not None and _one_step(below, above):
            # 98.99 and 99.0: whoever wrote it thought in steps of the last decimal, and measurements do not come in steps.
            low, high = _spelled(below.of, below.upper), _spelled(above.of, above.lower)
            yield (
                "decimal-hole", level,
                f"tiers end at {low} and begin at {high}, so none holds {where}; write the bound between them once, excluded on "
                f"one side: {commitment.tiers_of}_below {high} instead of {commitment.tiers_of}_at_most {low}",
            )  # fmt: skip
        elif place[0][0] == place[1][0]:
            yield (
                "gap", level,
                f"none of the tiers holds {where}, since its neighbours both leave it out; {meaning}",
            )  # fmt: skip
        else:
            yield "gap", level, f"none of the tiers holds {where}; {meaning}"


def _beside(commitment: Commitment, place: tuple[Place, Place]) -> tuple[Tier | None, Tier | None]:
    """Return the tiers that end where a hole begins, and begin where it ends."""
    below = next((tier for tier in commitment.tiers if places(tier)[1] == place[0]), None)
    above = next((tier for tier in commitment.tiers if places(tier)[0] == place[1]), None)
    return below, above


def _overlaps(policy: Policy, commitment: Commitment) -> Found:
    level: Level = "error" if commitment.overlaps == "refused" else "warning"
    meaning = {
        "refused": "narrow one of them, or say with reading.overlaps what it means",
        "undecided": "reading.overlaps leaves open which one pays",
        "greatest": "reading.overlaps lets the one pay that pays most",
    }[commitment.overlaps]
    for begins, ends in shared(commitment.tiers):
        both = [tier for tier in commitment.tiers if places(tier)[0] < ends and places(tier)[1] > begins]
        pays = ", ".join(remedy_words(tier.remedy, base_words(policy)) for tier in both)
        yield (
            "overlap", level,
            f"{len(both)} tiers hold {between(begins, ends, commitment.tiers_of)}, which pay {pays}; {meaning}",
        )  # fmt: skip


def _unreachable(policy: Policy, commitment: Commitment) -> Found:
    for tier in commitment.tiers:
        if (why := _out_of_reach(policy, commitment, tier)) is not None:
            yield (
                "unreachable-tier",
                "warning",
                f"{tier.words} {why}, so nothing leads to it; correct the bound or the period",
            )
    for right in policy.termination:
        if (
            right.commitment == commitment.name
            and (why := _out_of_reach(policy, commitment, right.range)) is not None
        ):
            yield (
                "unreachable-tier", "warning",
                f"the right to end the contract needs {right.range.words}, which {why}, so it never arises; correct the bound or the period",
            )  # fmt: skip


def _out_of_reach(policy: Policy, commitment: Commitment, tier: Tier) -> str | None:
    """Return why nothing that can be measured lies in a range, None where something may."""
    days = possible_days(policy.period)[1]
    if tier.of == "downtime":
        most = _longest_downtime(days, commitment.counting)
        if most is not None and (tier.lower > most or (tier.lower == most and not tier.lower_included)):
            return f"is longer than a {policy.period.kind} can be ({decimal_text(most)} seconds)"
    elif commitment.measure.of in ("consecutive-days", "events"):
        first = -(-tier.lower // 1) if tier.lower_included else tier.lower // 1 + 1
        if not tier.holds(Fraction(first)):
            return "holds no whole number, and only whole ones are counted"
        if commitment.measure.of == "consecutive-days" and first > days:
            return f"is more than the days of a {policy.period.kind} ({days})"
    return None


def _longest_downtime(days: int, counting: Counting) -> Fraction | None:
    """Return the most seconds that can count in a period of so many days; None where rounding has no end."""
    # Clocks may be put back once in it.
    longest = Fraction(days * 86_400 + 3_600)
    match counting.quantise:
        case "each-up":
            return None
        case "total-up" | "slots-touched":
            return -(-longest // counting.quantum) * Fraction(counting.quantum)
        case _:
            return longest


def _decided(policy: Policy, commitment: Commitment) -> Found:
    """Yield a finding where the end that is taken of open facts also settles what the tiers themselves leave open."""
    end = policy.facts.undecided
    if end == "refused":
        return
    for what, rule, found in (
        ("gaps", commitment.gaps, holes(commitment.tiers, commitment.tiers_of)),
        ("overlaps", commitment.overlaps, shared(commitment.tiers)),
    ):
        if rule == "undecided" and found:
            yield (
                "reading-decided", "warning",
                f'reading.{what} leaves open what is paid {between(*found[0], commitment.tiers_of)}, and facts.undecided = "{end}" issues '
                f"the {end} there; say with reading.{what} what the contract means, or leave facts.undecided out",
            )  # fmt: skip


def _one_step(below: Tier, above: Tier) -> bool:
    """Tell whether two bounds that both belong to their tiers are one step of their last decimal, or of their unit, apart."""
    if not (below.upper_included and above.lower_included):
        return False
    low, high = (bound * 100 if below.of == "availability" else bound for bound in (below.upper, above.lower))
    if below.of == "downtime":
        unit = next((unit for unit in (86_400, 3_600, 60) if not low % unit and not high % unit), 1)
        low, high = low / unit, high / unit
    places = max(len(decimal_text(bound).partition(".")[2]) for bound in (low, high))
    return high - low <= Fraction(1, 10**places)


def _spelled(of: Quantity, bound: Fraction) -> str:
    """Return a bound as a policy spells it."""
    if of == "downtime":
        return f'"{duration_text(bound)}"'
    return f'"{decimal_text(bound * 100 if of == "availability" else bound)}"'
