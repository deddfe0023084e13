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
from ledger.domain.policy.model import NO_LIMIT, Commitment, Limits, Policy, Remedy, Tier, tables_of_sums
from ledger.domain.policy.reading import Place, Problems, between, holes, load, places, shared
from ledger.errors import Refused

__all__ = ["KINDS", "Finding", "lint"]

Level = Literal["error", "warning"]

# Every kind of finding, and what it says; docs/policy-language.md lists them from here.
KINDS: dict[str, str] = {
    "not-toml": "The text is no TOML.",
    "wrong-value": "A value is missing, of the wrong kind, or has no meaning beside the others.",
    "unknown-key": "A key that the format does not know.",
    "gap": "A range in no tier.",
    "decimal-hole": "A gap that comes from bounds written to some decimals, such as 98.99 and 99.0.",
    "overlap": "A range in several tiers.",
    "met-but-pays": "A tier pays although the target is met or, where no target is stated, at the best there is.",
    "missed-but-free": "A tier pays nothing although the target is missed.",
    "worse-pays-less": "A worse tier pays less than a better one.",
    "unreachable-tier": "Nothing that can be measured leads to the tier, or another one always holds instead.",
    "reading-decided": "`facts.undecided` takes one end also where `reading` leaves open what the tiers mean, which no fact ever decides.",
    "limit-cuts": "A limit is below what a tier pays, so that the tier never pays what it says.",
    "sums-without-currencies": "Sums name some currencies, but `currencies` is left out, so that a fee in another one stops a run of credits.",
    "example-contradicts": "An example of the policy that its own terms contradict.",
    "not-verified": "The figures were not, or not all, compared with their source.",
}

# The longest a period can be, in seconds, by its kind; a quarter may have 92 days and clocks put back once.
_LONGEST = {
    "calendar-month": 31 * 86_400 + 3_600, "billing-month": 31 * 86_400 + 3_600, "calendar-quarter": 92 * 86_400 + 3_600,
    "calendar-year": 366 * 86_400,
}  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """One doubt. kind: one of KINDS. commitment: which one, where the policy has several."""

    kind: str
    level: Level
    sentence: str
    commitment: str = ""


def lint(text: str) -> tuple[Policy | None, list[Finding]]:
    """Return the policy of a TOML text, None where it cannot be read even leniently, and what is doubtful in it.

    Examples are not run here: that needs the calculator, which the domain does not know.
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
    found += _currencies(policy)
    if policy.source is not None and policy.source.state != "verified":
        note = f": {policy.source.note}" if policy.source.note else ""
        found.append(
            Finding("not-verified", "warning", f"source.state is {policy.source.state}{note}; compare it with the contract you signed")
        )  # fmt: skip
    return policy, found


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
        *_gaps(commitment), *_overlaps(commitment), *_promises(commitment), *_order(commitment),
        *_unreachable(policy, commitment), *_cut(policy.limits, commitment), *_decided(policy, commitment),
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
        if below is not None and above is not None and below.upper_included and above.lower_included:
            # 98.99 and 99.0: whoever wrote it thought in steps of the last decimal, and measurements do not come in steps.
            low, high = (
                _spelled(tier, bound) for tier, bound in ((below, below.upper), (above, above.lower))
            )
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


def _overlaps(commitment: Commitment) -> Found:
    level: Level = "error" if commitment.overlaps == "refused" else "warning"
    meaning = {
        "refused": "narrow one of them, or say with reading.overlaps what it means",
        "undecided": "reading.overlaps leaves open which one pays",
        "greatest": "reading.overlaps lets the one pay that pays most",
    }[commitment.overlaps]
    for begins, ends in shared(commitment.tiers):
        both = [tier for tier in commitment.tiers if places(tier)[0] < ends and places(tier)[1] > begins]
        pays = ", ".join(pays_text(tier.remedy) for tier in both)
        yield (
            "overlap", level,
            f"{len(both)} tiers hold {between(begins, ends, commitment.tiers_of)}, which pay {pays}; {meaning}",
        )  # fmt: skip


def _promises(commitment: Commitment) -> Found:
    target = commitment.target
    if target is None:
        best = (Fraction(1), 1) if commitment.tiers_of == "availability" else (Fraction(0), 0)
        for tier in commitment.tiers:
            begins, ends = places(tier)
            reached = ends == best if commitment.tiers_of == "availability" else begins == best
            if reached and _pays(tier.remedy) and not _in_proportion(tier.remedy):
                yield (
                    "met-but-pays", "warning",
                    f"{tier.words} pays {pays_text(tier.remedy)}, even for the best that can be measured; bound it, or leave the tier out",
                )  # fmt: skip
        return
    for tier in commitment.tiers:
        (low, high), (first, last) = places(tier), places(target)
        met = (max(low, first), min(high, last))
        if met[0] < met[1] and _pays(tier.remedy):
            yield (
                "met-but-pays", "warning",
                f"the target is {target.words}, but {tier.words} pays {pays_text(tier.remedy)}: {between(*met, tier.of)} meets the "
                "target and pays; correct one of them",
            )  # fmt: skip
        if not (first <= low and high <= last) and not _pays(tier.remedy):
            yield (
                "missed-but-free", "warning",
                f"the target is {target.words}, but {tier.words} pays nothing, so it can be missed for free; correct one of them if "
                "that is not meant",
            )  # fmt: skip


def _order(commitment: Commitment) -> Found:
    for better, worse in zip(commitment.tiers, commitment.tiers[1:], strict=False):
        alike = msgspec.structs.replace(better.remedy, percent=None) == msgspec.structs.replace(
            worse.remedy, percent=None
        )
        if alike and (worse.remedy.percent or 0) < (better.remedy.percent or 0):
            yield (
                "worse-pays-less", "warning",
                f"{worse.words} pays {pays_text(worse.remedy)}, less than {better.words}, which pays {pays_text(better.remedy)}; "
                "exchange them if that is not meant",
            )  # fmt: skip


def _unreachable(policy: Policy, commitment: Commitment) -> Found:
    days = policy.period.days
    longest = Fraction(days * 86_400 + 3_600 if days else _LONGEST[policy.period.kind])
    for tier in commitment.tiers:
        if tier.of == "downtime" and (
            tier.lower > longest or (tier.lower == longest and not tier.lower_included)
        ):
            yield (
                "unreachable-tier", "warning",
                f"{tier.words} is longer than a {policy.period.kind} can be ({decimal_text(longest)} seconds), so nothing leads to it; "
                "correct the bound or the period",
            )  # fmt: skip
        # "greatest" lets the better paid of two tiers hold; one that is covered by better paid ones never does.
        elif commitment.overlaps == "greatest" and _covered(tier, commitment):
            yield (
                "unreachable-tier", "warning",
                f"{tier.words} always lies in a tier that pays more, so it never pays; leave it out",
            )  # fmt: skip


def _covered(tier: Tier, commitment: Commitment) -> bool:
    more = [
        other for other in commitment.tiers
        if other is not tier and other.remedy.is_percent and tier.remedy.is_percent and other.credit_percent > tier.credit_percent
    ]  # fmt: skip
    left = [hole for hole in holes(more, tier.of) if hole[0] < places(tier)[1] and hole[1] > places(tier)[0]]
    return bool(more) and not left


def _cut(limits: Limits, commitment: Commitment) -> Found:
    for tier in commitment.tiers:
        percent = tier.remedy.percent
        if (
            limits.percent is not None
            and percent is not None
            and tier.remedy.is_percent
            and percent > limits.percent * 100
        ):
            yield (
                "limit-cuts", "warning",
                f"{tier.words} pays {decimal_text(percent)}%, but limits.percent is {decimal_text(limits.percent * 100)}; it never pays "
                "what it says",
            )  # fmt: skip


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


def _pays(remedy: Remedy) -> bool:
    return bool(
        remedy.percent or remedy.multiple or remedy.service_days or any(amount for _, amount in (*remedy.fixed, *remedy.hourly))
    )  # fmt: skip


def _in_proportion(remedy: Remedy) -> bool:
    """Tell whether it pays nothing as long as nothing is down: for each block or unit, or for the time down."""
    return remedy.per != "period" or (
        remedy.percent is None and not remedy.fixed and remedy.service_days is None
    )


def pays_text(remedy: Remedy) -> str:
    """Return what a remedy pays in a few words, such as "10%" or "3 days of service"."""
    said = [
        *([] if remedy.percent is None else [f"{decimal_text(remedy.percent)}%"]),
        *(
            []
            if remedy.multiple is None
            else [f"{decimal_text(remedy.multiple)} times the fee for the time down"]
        ),
        *(["a sum"] if remedy.fixed else []),
        *(["a sum for each hour"] if remedy.hourly else []),
        *([] if remedy.service_days is None else [f"{decimal_text(remedy.service_days)} days of service"]),
    ]
    return (f"the {remedy.take} of " if remedy.take else "") + " and ".join(said)


def _spelled(tier: Tier, bound: Fraction) -> str:
    if bound == NO_LIMIT:
        return "no limit"
    return f'"{decimal_text(bound * 100 if tier.of == "availability" else bound)}"'
