"""From figures to what is paid: tiers within the bounds, remedies, stacking and limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.ends import is_endless, rounded, whole_down, whole_up
from ledger.domain.money import decimal_places
from ledger.domain.policy.model import Allowance, Commitment, Policy, Remedy, Tier, sum_in, tables_of_sums
from ledger.domain.policy.periods import periods_in_a_year
from ledger.domain.policy.reading import holes
from ledger.domain.policy.values import duration_text
from ledger.errors import Refused
from projections.evaluation.figures import Figure
from projections.evaluation.forms import NOTHING, Form, Price, greatest, least, line, scaled, total
from projections.evaluation.levels import NONE, WHOLE

__all__ = [
    "Choice",
    "base_factor",
    "choices",
    "currencies_of",
    "days_of",
    "forms_of",
    "nothing_stated",
    "prices",
    "times_paid",
    "unknown_currency",
]


class Choice(msgspec.Struct, frozen=True):
    """One tier that the bounds allow, with the bounds that are left inside it.

    eligible: seconds. down: the part of the denominator. value: of a measure that makes one. Each at least and at most.
    seconds: the longest denominator that the facts allow.
    """

    tier: Tier
    eligible: tuple[Fraction, Fraction]
    down: tuple[Fraction, Fraction]
    value: tuple[Fraction, Fraction]
    seconds: Fraction = NONE

    def paid_for(self, at: int) -> tuple[Fraction, Fraction, Fraction]:
        """Return the seconds, the part of the denominator and the value that are paid for, at least (0) or at most (1)."""
        found = self.eligible[at], self.down[at], self.value[at]
        allowance = self.tier.remedy.beyond
        return found if allowance is None else self._beyond(allowance, at, found)

    def _beyond(
        self, allowance: Allowance, at: int, found: tuple[Fraction, Fraction, Fraction]
    ) -> tuple[Fraction, Fraction, Fraction]:
        (eligible, down, value), seconds = found, self.seconds
        match allowance.of:
            case "value":
                return eligible, down, max(value - allowance.bound, NONE)
            case "downtime":
                less, share = allowance.bound, allowance.bound / seconds if seconds else NONE
            case "availability":
                share = 1 - allowance.bound
                less = share * seconds
        beyond = max(eligible - less, NONE)
        if at == 1 and allowance.of == "availability" and down * seconds > eligible:
            # The denominator may be shorter than the longest one, and then less of it is allowed.
            beyond = max((down - share) * seconds, NONE)
        return beyond, max(down - share, NONE), value


def nothing_stated(commitment: Commitment) -> Tier:
    """Return the tier that stands for a quantity no tier of the contract holds."""
    of = commitment.tiers_of
    return Tier(NONE, True, NONE, True, NONE, f"{of} in no tier of the contract", of, Remedy(percent=NONE))


def choices(figure: Figure) -> tuple[Choice, ...]:
    """Return every tier that the bounds of a figure allow, the best first.

    Where the contract leaves a gap and its reading is undecided, both neighbours are there; where tiers overlap, all of them.
    """
    commitment = figure.commitment
    low, high = sorted((figure.best, figure.worst))
    if commitment.gaps == "refused":
        found = tuple(
            _choice(figure, tier, low, high) for tier in commitment.tiers if _touches(tier, low, high)
        )
        if not found and commitment.step is not None:
            raise _in_no_tier(commitment, low)
        return found
    beside = list(_in_gaps(commitment, low, high))
    nothing = nothing_stated(commitment)
    found = tuple(
        _choice(figure, tier, low, high)
        for tier in (*([nothing] if nothing in beside else []), *commitment.tiers)
        if tier in beside or _touches(tier, low, high)
    )
    if not found and commitment.step is not None:
        raise _in_no_tier(commitment, low)
    return found


def _in_no_tier(commitment: Commitment, low: Fraction) -> Refused:
    """Return the refusal of an availability that was stated, and stands for no downtime that can be measured: no tier has to hold it."""
    return Refused(
        f"{decimal_places(low, 3)} seconds of downtime are no whole quanta of {duration_text(Fraction(commitment.counting.quantum))}, in "
        "which the tiers of the policy are written; state downtime instead of an availability"
    )


def _touches(tier: Tier, low: Fraction, high: Fraction) -> bool:
    begin, end = max(low, tier.lower), min(high, tier.upper)
    return begin < end or (begin == end and tier.holds(begin))


def _in_gaps(commitment: Commitment, low: Fraction, high: Fraction) -> Iterable[Tier]:
    of = commitment.tiers_of
    for (begin, after), (end, upto) in holes(commitment.tiers, of, commitment.step):
        if not (begin < high or (begin == high and not after)) or not (low < end or (low == end and upto)):
            continue
        if commitment.gaps == "pays-nothing":
            yield nothing_stated(commitment)
            continue
        below = [
            tier for tier in commitment.tiers if (tier.upper, tier.upper_included) == (begin, bool(after))
        ]
        above = [
            tier for tier in commitment.tiers if (tier.lower, not tier.lower_included) == (end, bool(upto))
        ]
        yield from below or [nothing_stated(commitment)]
        yield from above or [nothing_stated(commitment)]


def _choice(figure: Figure, tier: Tier, low: Fraction, high: Fraction) -> Choice:
    of, seconds = figure.commitment.tiers_of, figure.period_seconds
    begin, end = max(low, tier.lower), min(high, tier.upper)
    if begin > end:
        # A neighbour of a gap: the quantity lies beside it.
        begin, end = low, high
    eligible = figure.eligible_least, figure.eligible_most
    if of == "availability":
        down = 1 - end, 1 - begin
        # What overlaps, or is rounded up, may be more than the period, and no availability says by how much.
        most = eligible[1] if down[1] >= WHOLE else min(eligible[1], down[1] * seconds)
        within = max(eligible[0], down[0] * seconds), most
        eligible = within if within[0] <= within[1] else eligible
        return Choice(tier, eligible, down, (NONE, NONE), seconds)
    if of == "downtime":
        down = (min(begin / seconds, WHOLE), min(end / seconds, WHOLE)) if seconds else (NONE, NONE)
        return Choice(tier, (begin, end), down, (NONE, NONE), seconds)
    return Choice(tier, eligible, (NONE, NONE), (begin, end), seconds)


def _times(remedy: Remedy, eligible: Fraction, value: Fraction) -> Fraction:
    """Return how many times a remedy is paid, a whole number."""
    if remedy.per == "unit":
        return whole_down(value)
    if remedy.per == "block" and remedy.block_seconds is not None:
        return (whole_up if remedy.blocks == "begun" else whole_down)(eligible / remedy.block_seconds)
    return WHOLE


def times_paid(choice: Choice) -> tuple[Fraction, Fraction]:
    """Return how many times a tier is paid within its bounds, at least and at most: whole numbers."""
    (eligible, _, value), (most, _, highest) = choice.paid_for(0), choice.paid_for(1)
    return _times(choice.tier.remedy, eligible, value), _times(choice.tier.remedy, most, highest)


def _form(
    policy: Policy, tier: Tier, eligible: Fraction, down: Fraction, value: Fraction, currency: str
) -> Form:
    """Return what a tier pays for one exact figure, before limits."""
    remedy, rule = tier.remedy, policy.credit
    times = _times(remedy, eligible, value)
    parts: list[tuple[Fraction, Fraction]] = []
    if remedy.percent is not None:
        parts.append((remedy.percent / 100 * times, NONE))
    if remedy.multiple is not None:
        parts.append((remedy.multiple * down, NONE))
    if remedy.fixed:
        parts.append((NONE, _sum(policy, remedy.fixed, currency, f"credit_fixed of {tier.words}") * times))
    if remedy.hourly:
        parts.append(
            (NONE, _sum(policy, remedy.hourly, currency, f"credit_hourly of {tier.words}") * eligible / 3_600)
        )
    if rule.factor_decimals is not None:
        scale = 10**rule.factor_decimals
        mode = rule.factor_rounding or policy.rounding
        parts = [(a if is_endless(a) else Fraction(rounded(a * scale, mode), scale), b) for a, b in parts]
    forms = [line(a, b) for a, b in parts] or [NOTHING]
    match remedy.take:
        case "lesser":
            return least(forms)
        case "greater":
            return greatest(forms)
        case _:
            return total(forms)


def _sum(policy: Policy, sums: tuple[tuple[str, Fraction], ...], currency: str, name: str) -> Fraction:
    found = sum_in(sums, currency)
    if found is None:
        raise Refused(
            f"policy {policy.key!r} names no sum in {currency} in {name}; bill in {', '.join(code for code, _ in sums)}, or publish "
            "terms that name it"
        )
    return found


def forms_of(
    policy: Policy, commitment: Commitment, found: Sequence[Choice], currency: str
) -> tuple[Form, Form]:
    """Return what the allowed tiers of one commitment pay, at least and at most, before limits."""
    low = [_form(policy, one.tier, *one.paid_for(0), currency) for one in found]
    high = [_form(policy, one.tier, *one.paid_for(1), currency) for one in found]
    if commitment.overlaps == "greatest" and all(
        one.down[0] == one.down[1] and one.value[0] == one.value[1] for one in found
    ):
        return greatest(low), greatest(high)
    return least(low), greatest(high)


def days_of(found: Sequence[Choice]) -> tuple[Fraction, Fraction]:
    """Return the days of service that the allowed tiers of one commitment give, at least and at most."""
    given = [
        [
            (one.tier.remedy.service_days or NONE) * _times(one.tier.remedy, eligible, value)
            for one in found
            for eligible, _, value in [one.paid_for(at)]
        ]
        for at in (0, 1)
    ]
    return min(given[0]), max(given[1])


def base_factor(policy: Policy) -> Fraction:
    """Return what the base is of the amount that credit.of names."""
    match policy.credit.of:
        case "service-share":
            return policy.credit.share or WHOLE
        case "annual-fee":
            return 1 / periods_in_a_year(policy.period)
        case "fee" | "region-charges" | "preceding-fee":
            return WHOLE


def currencies_of(policy: Policy) -> list[str]:
    """Return the currencies in which the terms can be priced; one without a name where they state no sums."""
    named = {code for _, sums in tables_of_sums(policy.limits, policy.commitments) for code, _ in sums}
    return sorted(policy.currencies or named or {""})


def unknown_currency(policy: Policy, currency: str) -> str | None:
    """Return a sentence where the terms do not know a currency."""
    if policy.currencies and currency not in policy.currencies:
        return f"policy {policy.key!r} knows {', '.join(policy.currencies)}, but the fee is in {currency}; correct the currency"
    return None


def prices(
    policy: Policy, low: Form, high: Form, currency: str, credited_before: int = 0
) -> tuple[Price, Price]:
    """Return what is paid as functions of the amount that credit.of names, at least and at most: limits, rounding, floor.

    credited_before: minor units credited in the months before that limits.rolling_percent counts.
    """
    if (sentence := unknown_currency(policy, currency)) is not None:
        raise Refused(sentence)
    factor, limits = base_factor(policy), policy.limits
    only_above, at_least = (
        _sum(policy, sums, currency, f"limits.{name}") if sums else None
        for name, sums in (("only_above", limits.only_above), ("at_least", limits.at_least))
    )
    caps = _caps(policy, currency, credited_before) if at_least is not None else []
    most = scaled(least(caps), factor) if caps else None
    made = [scaled(limited(policy, form, currency, credited_before), factor) for form in (low, high)]
    return (
        Price(made[0], policy.rounding, only_above, at_least, most),
        Price(made[1], policy.rounding, only_above, at_least, most),
    )


def limited(policy: Policy, form: Form, currency: str, credited_before: int) -> Form:
    """Return a form of the base under the limits of a policy, all but only_above and at_least."""
    return least([form, *_caps(policy, currency, credited_before)])


def _caps(policy: Policy, currency: str, credited_before: int) -> list[Form]:
    """Return the most that is paid, as each limit has it."""
    limits = policy.limits
    caps: list[Form] = []
    if limits.percent is not None:
        caps.append(line(limits.percent))
    if limits.amount:
        caps.append(line(0, _sum(policy, limits.amount, currency, "limits.amount")))
    if limits.rolling_percent is not None:
        caps.append(greatest([line(limits.rolling_percent, -credited_before), NOTHING]))
    return caps
