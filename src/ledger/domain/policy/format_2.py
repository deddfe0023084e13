"""Policy format 2: read by its grammar, then checked as a whole, so that no term is accepted and then ignored.

A key that has no meaning beside the others is refused with a sentence, as is a missing one that the others ask for.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.money import decimal_places, minor_units
from ledger.domain.policy.grammar import DAYS, GRAMMAR, SIDES, table_of
from ledger.domain.policy.model import (
    NO_LIMIT,
    Allowance,
    Calendar,
    Claim,
    Commitment,
    Counting,
    Credit,
    Example,
    ExclusionRule,
    FactsRule,
    Limits,
    Measure,
    PeriodRule,
    Policy,
    Quantity,
    Recurring,
    Remedy,
    Scope,
    Source,
    Stacking,
    Termination,
    Tier,
    VersionRule,
    step_of,
    tables_of_sums,
)
from ledger.domain.policy.reading import Problems, cover, ordered, range_words, shown, side_given
from ledger.domain.policy.values import read_table
from ledger.domain.policy.words import allowance_words
from ledger.errors import Refused, nearest

__all__ = ["read"]

# What each measure reads where nothing else is said.
_READS = {
    "error-rate": ("requests",), "executions": ("executions",), "messages": ("messages",), "latency": ("latency",),
    "consecutive-days": ("messages",),
}  # fmt: skip
_OF_WINDOWS = ("time", "affected-share", "user-minutes")
_IN_COMMITMENTS = tuple(table.path for table in GRAMMAR if table.in_commitments)
# A hundred years.
_LONGEST_WEEKS = 5_218
_MONEY = ("credit_percent", "credit_multiple", "credit_fixed", "credit_hourly")

Values = dict[str, Any]


def read(document: dict[str, Any], sha256: str, problems: Problems) -> Policy | None:
    """Return the policy of a document, None where something is wrong with it."""
    tables = [table.path for table in GRAMMAR if table.path]
    top = read_table(table_of(""), "", document, problems, also=tables)
    period = _period(_one("period", document, problems), problems)
    credit, limits = _one("credit", document, problems), _one("limits", document, problems, needed=False)
    commitments = _commitments(document, problems)
    exclusions = _exclusions(_many("exclusions", document, problems), problems)
    calendars = _calendars(document.get("calendars"), problems)
    recurring, own = _recurring(document, calendars, commitments, period, problems)
    claim = _claim(_one("claim", document, problems, needed=False), calendars, problems)
    version = _version(_one("version", document, problems, needed=False), problems)
    open_facts = _one("facts", document, problems, needed=False)
    stacking = _stacking(_one("stacking", document, problems, needed=False), commitments, problems)
    termination = _termination(_many("termination", document, problems), commitments, problems)
    examples = tuple(
        Example(entry["name"] or "", entry["facts"] or {}, entry["expect"] or {})
        for entry in _many("examples", document, problems)
    )
    source = _source(document, problems)
    credit_rule, limits_rule = _credit(credit, problems), _limits(limits, commitments, problems)
    currencies = _currencies(top["currencies"], commitments, limits_rule, problems)
    if problems.found:
        return None
    return Policy(
        key=top["policy"], title=top["title"] or "", in_force_from=top["in_force_from"], format=2, period=period,
        commitments=commitments, exclusions=(*exclusions, *own), recurring=recurring, credit=credit_rule, rounding=_or(credit["rounding"], "half-up"), sha256=sha256, limits=limits_rule,
        stacking=stacking, claim=claim, version=version,
        facts=FactsRule(_or(open_facts["undecided"], "refused"), _or(open_facts["provisional"], "refused")), termination=termination, currencies=currencies,
        calendars=tuple(calendars.values()), source=source, examples=examples,
    )  # fmt: skip


def _one(
    path: str, document: dict[str, Any], problems: Problems, *, needed: bool = True, where: str = ""
) -> Values:
    name = path.rpartition(".")[2]
    table, entry = table_of(name), document.get(name)
    if entry is None and not needed:
        return {field.name: None for field in table.fields}
    if entry is None:
        problems.add(f"{where}{name} is missing; add a table [{path}]")
        return {field.name: None for field in table.fields}
    return read_table(table, f"{where}{name}.", entry, problems)


def _many(path: str, document: dict[str, Any], problems: Problems, where: str = "") -> list[Values]:
    entries = document.get(path, [])
    if type(entries) is not list or not all(type(entry) is dict for entry in entries):
        problems.wrong(f"{where}{path}", entries, f"is not a list of tables; write one [[{path}]] for each")
        return []
    return [
        read_table(table_of(path), f"{where}{path} {index}: ", entry, problems)
        for index, entry in enumerate(entries, 1)
    ]


def _idle(where: str, values: Values, names: tuple[str, ...], why: str, problems: Problems) -> None:
    """Note each value that is given although nothing would read it."""
    for name in names:
        if values[name] is not None:
            problems.add(f"{where}{name} has no meaning with {why}; leave it out, or change that")


def _asked(where: str, values: Values, names: tuple[str, ...], why: str, problems: Problems) -> None:
    for name in names:
        # What was given and could not be read has its sentence already.
        if values[name] is None and not any(said.startswith(f"{where}{name} ") for said in problems.found):
            problems.add(f"{where}{name} is missing, which {why} needs; add it")


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _within(where: str, value: int | None, least: int, most: int, problems: Problems) -> None:
    if value is not None and not least <= value <= most:
        problems.add(f"{where} {value} is not between {least} and {most}; correct it")


def _positive(where: str, value: Fraction | None, problems: Problems, *, whole: bool = False) -> None:
    if value is not None and value <= 0:
        problems.add(f"{where} is nothing; write a duration above 0, or leave it out")
    elif whole and value is not None and value.denominator != 1:
        problems.add(f"{where} is not a whole number of seconds; write one")


def _period(values: Values, problems: Problems) -> PeriodRule:
    kind = values["kind"]
    if kind == "contract-year":
        _asked("period.", values, ("anchor_month",), f'kind = "{kind}"', problems)
    else:
        _idle("period.", values, ("anchor_month",), f'kind = "{kind}"', problems)
    if kind not in ("billing-month", "contract-year"):
        _idle("period.", values, ("anchor_day",), f'kind = "{kind}"', problems)
    if kind == "trailing-days":
        _asked("period.", values, ("days",), f'kind = "{kind}"', problems)
    else:
        _idle("period.", values, ("days",), f'kind = "{kind}"', problems)
    _within("period.anchor_day", values["anchor_day"], 1, 31, problems)
    _within("period.anchor_month", values["anchor_month"], 1, 12, problems)
    _within("period.days", values["days"], 1, 3_660, problems)
    _positive("period.length", values["length"], problems)
    if values["part"] == "lifetime" and values["length"] is not None:
        problems.add('period.length contradicts part = "lifetime", whose length is the part; leave one out')
    return PeriodRule(
        kind=kind, zone=_or(values["zone"], "UTC"), anchor_day=_or(values["anchor_day"], 1), days=values["days"],
        length_seconds=values["length"], part=_or(values["part"], "whole"),
        anchor_month=_or(values["anchor_month"], 1),
    )  # fmt: skip


def _source(document: dict[str, Any], problems: Problems) -> Source | None:
    if "source" not in document:
        return None
    values = _one("source", document, problems)
    return Source(
        values["name"] or "",
        values["address"] or "",
        values["read_on"],
        values["state"] or "",
        values["note"] or "",
    )


def _commitments(document: dict[str, Any], problems: Problems) -> tuple[Commitment, ...]:
    entries = document.get("commitments")
    if entries is None:
        return (_commitment("", document, problems, ""),)
    for name in _IN_COMMITMENTS:
        if name in document:
            problems.add(
                f"{name} stands beside commitments; write it inside each, as commitments.{name}, or leave them out"
            )
    if type(entries) is not list or not entries or not all(type(entry) is dict for entry in entries):
        problems.wrong("commitments", entries, "is not a list of tables; write one [[commitments]] for each")
        return ()
    found: list[Commitment] = []
    for index, entry in enumerate(entries, 1):
        where = f"commitments {index}: "
        values = read_table(table_of("commitments"), where, entry, problems, also=_IN_COMMITMENTS)
        name = values["name"] or ""
        if name in [other.name for other in found]:
            problems.add(f"{where}name {name!r} is there twice; choose another")
        found.append(_commitment(name, entry, problems, where))
    return tuple(found)


def _commitment(name: str, document: dict[str, Any], problems: Problems, where: str) -> Commitment:
    before = len(problems.found)
    measure = _measure(_one("measure", document, problems, where=where), where, problems)
    counting = _counting(
        _one("counting", document, problems, needed=False, where=where), measure, where, problems
    )
    scope = _scope(_one("scope", document, problems, needed=False, where=where), measure, where, problems)
    reading = _one("reading", document, problems, needed=False, where=where)
    gaps, overlaps = _or(reading["gaps"], "refused"), _or(reading["overlaps"], "refused")
    tiers = _tiers(document, measure, where, problems)
    if len(problems.found) == before:
        refused = [kind for kind, reading in (("gap", gaps), ("overlap", overlaps)) if reading == "refused"]
        step = step_of(measure, counting, tiers[0].of)
        cover(tiers, where, problems, kinds=refused, instead=True, step=step)
    promised = _target(
        _one("target", document, problems, needed=False, where=where), measure, where, problems
    )
    return Commitment(name, measure, counting, scope, ordered(tiers), gaps, overlaps, promised)


def _target(values: Values, measure: Measure, where: str, problems: Problems) -> Tier | None:
    """Return the range that was promised, None where the terms name none."""
    if all(value is None for value in values.values()):
        return None
    return _range(values, measure, f"{where}target.", problems, Remedy())


def _measure(values: Values, where: str, problems: Problems) -> Measure:
    of, at = values["of"], f"{where}measure."
    why = f'of = "{of}"'
    if of == "error-rate":
        _asked(at, values, ("bucket",), why, problems)
        _positive(f"{at}bucket", values["bucket"], problems, whole=True)
    else:
        _idle(at, values, ("bucket",), why, problems)
    if of == "latency":
        _asked(at, values, ("statistic",), why, problems)
    else:
        _idle(at, values, ("statistic", "unit", "combine"), why, problems)
    if of != "events":
        _idle(at, values, ("counts",), why, problems)
    if of in ("latency", "consecutive-days", "bad-days", "events"):
        _idle(at, values, ("missing",), why, problems)
    reads = values["reads"]
    if reads is not None and not reads and of in _READS and of != "consecutive-days":
        problems.add(f"{at}reads is empty, but {why} is measured from nothing else; name what it reads")
    if reads and (("latency" in reads) != (of == "latency") or (of == "latency" and len(reads) > 1)):
        problems.add(f"{at}reads {', '.join(reads)} does not fit {why}; latency is read by latency alone")
    if of == "events" and values["counts"] == "failed" and not reads:
        problems.add(f'{at}reads is missing, which counts = "failed" needs; name what it reads')
    elif of == "events" and values["counts"] != "failed" and reads:
        problems.add(
            f'{at}reads has no meaning with counts = "{values["counts"] or "incidents"}"; leave it out'
        )
    return Measure(
        of=_or(of, "time"), reads=_or(reads, _READS.get(of, ())),
        bucket_seconds=None if values["bucket"] is None else int(values["bucket"]), statistic=values["statistic"],
        unit=_or(values["unit"], "seconds"), combine=_or(values["combine"], "average"),
        counts=_or(values["counts"], "incidents"), missing=_or(values["missing"], "available"),
    )  # fmt: skip


def _counting(values: Values, measure: Measure, where: str, problems: Problems) -> Counting:
    at, why = f"{where}counting.", f'measure.of = "{measure.of}"'
    by_windows = measure.reads_windows
    lasting = ("minimum", "unless_daily_total_above", "daily_total_counts")
    quanta = ("quantise", "quantum", "ties")
    if by_windows:
        # What is measured needs no window.
        if not values["effects"] and not measure.reads:
            problems.add(f"{at}effects is missing or empty, which {why} needs; name at least one effect")
    else:
        _idle(at, values, ("effects", "down", *lasting, *quanta), why, problems)
    if measure.of == "user-minutes":
        _idle(at, values, lasting, why, problems)
    if measure.is_days:
        _idle(at, values, lasting[1:], why, problems)
    if not (measure.is_days and by_windows):
        _idle(at, values, ("day_above",), why if not measure.is_days else "measurements", problems)
    if measure.of != "time":
        _idle(at, values, quanta, why, problems)
    _share(values, measure, at, problems)
    if values["minimum"] is None:
        _idle(at, values, ("unless_daily_total_above",), "no minimum", problems)
    if values["unless_daily_total_above"] is None:
        _idle(at, values, ("daily_total_counts",), "no unless_daily_total_above", problems)
    if values["daily_total_counts"] == "excess" and (
        values["quantise"] not in (None, "exact") or measure.of != "time"
    ):
        problems.add(
            f'{at}daily_total_counts "excess" is a number of seconds without a place, which fits measure.of = "time" with '
            'quantise = "exact" alone; change one of them'
        )
    if values["quantise"] in (None, "exact"):
        _idle(at, values, ("quantum",), 'quantise = "exact"', problems)
    quantise = _or(values["quantise"], "exact")
    if quantise.endswith("-nearest"):
        _asked(at, values, ("ties",), f'quantise = "{quantise}"', problems)
    elif measure.of == "time":
        _idle(at, values, ("ties",), f'quantise = "{quantise}"', problems)
    for name in ("minimum", "unless_daily_total_above"):
        _positive(f"{at}{name}", values[name], problems)
    _positive(f"{at}quantum", values["quantum"], problems, whole=True)
    return Counting(
        effects=frozenset(_or(values["effects"], ())), down=_or(values["down"], "any"), share_above=values["share_above"],
        share_at_least=values["share_at_least"], day_above=_or(values["day_above"], Fraction(0)),
        minimum=values["minimum"], unless_daily_total_above=values["unless_daily_total_above"],
        daily_total_counts=_or(values["daily_total_counts"], "all"), quantise=quantise,
        quantum=int(_or(values["quantum"], 60)), ties=_or(values["ties"], "up"),
    )  # fmt: skip


def _share(values: Values, measure: Measure, at: str, problems: Problems) -> None:
    """Check the share that makes a second, or a day, count."""
    above, least = values["share_above"], values["share_at_least"]
    down = _or(values["down"], "any")
    if measure.is_days and not measure.reads_windows:
        if above is None and least is None:
            _asked(at, values, ("share_above",), f'measure.of = "{measure.of}"', problems)
        elif above is not None:
            _idle(at, values, ("share_at_least",), "share_above", problems)
    else:
        for name, word in (("share_above", "above-share"), ("share_at_least", "at-least-share")):
            (_asked if down == word else _idle)(at, values, (name,), f'down = "{down}"', problems)
    if above is not None and above >= 1:
        problems.add(f"{at}share_above {shown(str(above))} is not below 1; no share is above it: 5% is 0.05")
    if least is not None and not 0 < least <= 1:
        problems.add(f"{at}share_at_least {shown(str(least))} is not above 0 and up to 1; 5% is 0.05")


def _scope(values: Values, measure: Measure, where: str, problems: Problems) -> Scope:
    at = f"{where}scope."
    if values["regions"] == "service-wide":
        _asked(at, values, ("all_regions",), 'regions = "service-wide"', problems)
        if measure.of != "time":
            problems.add(
                f'{at}regions "service-wide" has no meaning with measure.of = "{measure.of}"; only time can be down '
                "everywhere at once"
            )
    else:
        _idle(at, values, ("all_regions",), f'regions = "{values["regions"] or "each"}"', problems)
    for name in ("all_regions", "components"):
        if values[name] is not None and (not values[name] or set(values[name]) & {"*", "unknown", ""}):
            problems.add(f"{at}{name} is empty, or names no single one; list the names, or leave it out")
    return Scope(
        _or(values["regions"], "each"), _or(values["all_regions"], ()), _or(values["components"], ())
    )


def _tiers(document: dict[str, Any], measure: Measure, where: str, problems: Problems) -> list[Tier]:
    if not document.get("tiers"):
        problems.add(f"{where}tiers is missing or empty; write one [[tiers]] for each")
        return []
    found = []
    for index, values in enumerate(_many("tiers", document, problems, where), 1):
        at = f"{where}tiers {index}: "
        before = len(problems.found)
        remedy = _remedy(values, measure, at, problems)
        tier = _range(values, measure, at, problems, remedy)
        if tier is not None and values["beyond"] is not None:
            tier = _beyond(values["beyond"], tier, measure, at, problems)
        if tier is not None and len(problems.found) == before:
            found.append(tier)
    if len({tier.of for tier in found}) > 1:
        problems.add(
            f"{where}tiers are about {' and '.join(sorted({tier.of for tier in found}))}; all of them need one kind of bound"
        )
    return found


def _range(values: Values, measure: Measure, at: str, problems: Problems, remedy: Remedy) -> Tier | None:
    said: list[Quantity] = [
        kind
        for kind in ("availability", "downtime", "value")
        if any(values[f"{kind}_{side}"] is not None for side in SIDES)
    ]
    if len(said) > 1:
        problems.add(f"{at}bounds of {' and '.join(said)} stand side by side; a range has one kind of bound")
        return None
    of: Quantity = said[0] if said else measure.makes
    fits = ("value",) if measure.makes == "value" else (
        ("availability", "downtime") if measure.of in _OF_WINDOWS else ("availability",)
    )  # fmt: skip
    if of not in fits:
        problems.add(
            f'{at}a bound of {of} has no meaning with measure.of = "{measure.of}"; write {fits[0]}_… instead'
        )
        return None
    lower = _side(values, of, ("at_least", "above"), at, problems)
    upper = _side(values, of, ("at_most", "below"), at, problems)
    if lower is None or upper is None:
        return None
    scale = 100 if of == "availability" else 1
    low, high = (
        lower[0] or Fraction(0),
        (Fraction(100) if of == "availability" else NO_LIMIT) if upper[0] is None else upper[0],
    )
    words = range_words(at, of, (low, *lower[1:]), (high, *upper[1:]), problems)
    if words is None:
        return None
    return Tier(
        low / scale, lower[1], high if high == NO_LIMIT else high / scale, upper[1],
        remedy.percent if remedy.is_percent and remedy.percent is not None else Fraction(0), words, of, remedy,
    )  # fmt: skip


def _side(
    values: Values, of: Quantity, sides: tuple[str, str], at: str, problems: Problems
) -> tuple[Fraction | None, bool, str] | None:
    given = [name for name, value in values.items() if value is not None]
    side = side_given(at, of, sides, given, problems)
    if not side:
        return None if side is None else (None, True, "")
    bound: Fraction = values[f"{of}_{side}"]
    return bound, side == sides[0], f"{side.replace('_', ' ')} {_bound_text(bound, of)}"


def _bound_text(bound: Fraction, of: Quantity) -> str:
    from ledger.domain.money import decimal_text
    from ledger.domain.policy.values import duration_text

    if of == "downtime":
        return duration_text(bound)
    return f"{decimal_text(bound)}{'%' if of == 'availability' else ''}"


def _remedy(values: Values, measure: Measure, at: str, problems: Problems) -> Remedy:
    if values["credit_fraction"] is not None:
        if values["credit_percent"] is not None:
            problems.add(f"{at}credit_percent and credit_fraction both say a part of the base; leave one out")
        values = {**values, "credit_percent": values["credit_fraction"] * 100}
    money = [name for name in _MONEY if values[name] is not None]
    # What was given and could not be read has its sentence already.
    unread = tuple(f"{at}{name} " for name in (*_MONEY, "service_days"))
    if (
        not money
        and values["service_days"] is None
        and not any(said.startswith(unread) for said in problems.found)
    ):
        problems.add(
            f'{at}pays nothing that is said; write credit_percent = "0" for nothing, or one of {", ".join(_MONEY)}, service_days'
        )
    if len(money) > 1 and values["take"] is None:
        problems.add(
            f"{at}take is missing, as {' and '.join(money)} are stated; write lesser, greater or sum"
        )
    if len(money) < 2:
        _idle(at, values, ("take",), "one amount of money", problems)
    per = _or(values["per"], "period")
    if per != "period" and not {"credit_percent", "credit_fixed", "service_days"} & {
        name for name, value in values.items() if value is not None
    }:
        problems.add(
            f'{at}per = "{per}" has no meaning here; it multiplies credit_percent, credit_fixed or service_days'
        )
    if per == "block":
        _asked(at, values, ("block",), 'per = "block"', problems)
        _positive(f"{at}block", values["block"], problems)
    else:
        _idle(at, values, ("block", "blocks"), f'per = "{per}"', problems)
    value_only, time_only = (
        per == "unit",
        per == "block" or bool({"credit_multiple", "credit_hourly"} & set(money)),
    )
    if value_only and measure.makes != "value":
        problems.add(
            f'{at}per = "unit" has no meaning with measure.of = "{measure.of}"; only a value has units'
        )
    if time_only and measure.makes == "value":
        problems.add(
            f'{at}time that was down is not known with measure.of = "{measure.of}"; pay a percentage, a sum or days'
        )
    return Remedy(
        percent=values["credit_percent"], multiple=values["credit_multiple"], fixed=_or(values["credit_fixed"], ()),
        hourly=_or(values["credit_hourly"], ()), service_days=values["service_days"], per=per,
        block_seconds=values["block"], blocks=_or(values["blocks"], "full"), take=values["take"],
    )  # fmt: skip


def _beyond(said: Allowance | str, tier: Tier, measure: Measure, at: str, problems: Problems) -> Tier:
    """Return a tier that pays for no more than what exceeds an allowance."""
    remedy, words = tier.remedy, f'beyond = "{_allowance_text(said)}"'
    if remedy.per == "period" and remedy.multiple is None and not remedy.hourly:
        problems.add(
            f"{at}{words} has no meaning with amounts that are paid once; it shortens what credit_multiple, credit_hourly or per are for"
        )
    if isinstance(said, str):
        edge = tier.upper if tier.of == "availability" else tier.lower
        if edge == (1 if tier.of == "availability" else 0):
            problems.add(
                f"{at}{words} has no meaning where the tier begins with the best there is; bound it there, or state the allowance itself"
            )
        allowance = Allowance(tier.of, edge)
    else:
        allowance = said
        if measure.makes == "value":
            problems.add(
                f'{at}{words} has no meaning with measure.of = "{measure.of}"; write beyond = "tier-edge", or leave it out'
            )
    return msgspec.structs.replace(tier, remedy=msgspec.structs.replace(remedy, beyond=allowance))


def _allowance_text(said: Allowance | str) -> str:
    return said if isinstance(said, str) else allowance_words(said)


def _exclusions(entries: list[Values], problems: Problems) -> tuple[ExclusionRule, ...]:
    found: list[ExclusionRule] = []
    for index, values in enumerate(entries, 1):
        at = f"exclusions {index}: "
        kinds = frozenset(_or(values["kinds"], ()))
        if values["kinds"] is not None and not kinds:
            problems.add(f"{at}kinds is empty; name what is excluded")
        for kind in sorted(kinds):
            if any(kind in rule.kinds for rule in found):
                problems.add(f"{at}kinds names {kind!r}, which an exclusion before it names; name it once")
        if values["most"] is None:
            _idle(at, values, ("most_per",), "no most", problems)
        for name in ("notice", "most"):
            _positive(f"{at}{name}", values[name], problems)
        found.append(
            ExclusionRule(
                kinds,
                values["notice"],
                values["most"],
                _or(values["most_per"], "year"),
                _or(values["treated"], "up"),
            )
        )
    return tuple(found)


def _credit(values: Values, problems: Problems) -> Credit:
    if values["of"] == "service-share":
        _asked("credit.", values, ("share",), 'of = "service-share"', problems)
    else:
        _idle("credit.", values, ("share",), f'of = "{values["of"] or "fee"}"', problems)
    if values["factor_decimals"] is None:
        _idle("credit.", values, ("factor_rounding",), "no factor_decimals", problems)
    _within("credit.factor_decimals", values["factor_decimals"], 0, 12, problems)
    rounding = _or(values["rounding"], "half-up")
    return Credit(
        of=_or(values["of"], "fee"), share=None if values["share"] is None else values["share"] / 100,
        factor_decimals=values["factor_decimals"],
        factor_rounding=None if values["factor_decimals"] is None else _or(values["factor_rounding"], rounding),
        clawback=_or(values["clawback"], False),
    )  # fmt: skip


def _limits(values: Values, commitments: tuple[Commitment, ...], problems: Problems) -> Limits:
    if values["rolling_percent"] is None:
        _idle("limits.", values, ("rolling_months", "rolling_over"), "no rolling_percent", problems)
    elif values["rolling_over"] not in (None, "months"):
        over = f'rolling_over = "{values["rolling_over"]}"'
        _idle("limits.", values, ("rolling_months",), over, problems)
    _within("limits.rolling_months", values["rolling_months"], 1, 120, problems)
    pays_days = any(tier.remedy.service_days for one in commitments for tier in one.tiers)
    if commitments and not pays_days:
        _idle("limits.", values, ("days",), "tiers that pay no service_days", problems)
    for name, beside in (("amount", "above"), ("only_above", "not above")):
        for code, least in _or(values["at_least"], ()):
            other = dict(_or(values[name], ())).get(code)
            if other is not None and (least > other) == (beside == "above"):
                problems.add(
                    f"limits.at_least is {beside} limits.{name} in {code}, so that it never raises an amount to what it says; correct one of them"
                )
    return Limits(
        percent=None if values["percent"] is None else values["percent"] / 100, amount=_or(values["amount"], ()),
        days=values["days"], rolling_percent=None if values["rolling_percent"] is None else values["rolling_percent"] / 100,
        rolling_months=_or(values["rolling_months"], 12), rolling_over=_or(values["rolling_over"], "months"), only_above=_or(values["only_above"], ()),
        at_least=_or(values["at_least"], ()),
    )  # fmt: skip


def _stacking(values: Values, commitments: tuple[Commitment, ...], problems: Problems) -> Stacking:
    if len(commitments) == 1:
        _idle("stacking.", values, ("commitments",), "one commitment", problems)
    incidents = _or(values["incidents"], "together")
    if incidents != "together" and any(one.measure.of not in _OF_WINDOWS for one in commitments):
        problems.add(
            f'stacking.incidents "{incidents}" has no meaning with a measure that no window makes; leave it out'
        )
    return Stacking(_or(values["commitments"], "best-of"), incidents)


def _calendars(value: object, problems: Problems) -> dict[str, Calendar]:
    if value is None:
        return {}
    if type(value) is not dict or not all(type(entry) is dict for entry in value.values()):
        problems.wrong("calendars", value, "is not a table of calendars; write [calendars.NAME] for each")
        return {}
    found: dict[str, Calendar] = {}
    for name, entry in value.items():
        problems.key("calendars", name)
        values = read_table(table_of("calendars"), f"calendars.{name}.", entry, problems)
        opens, closes = _or(values["opens"], 0), _or(values["closes"], 86_400)
        if opens >= closes:
            problems.add(f"calendars.{name}.closes is not after opens; exchange them")
        days = frozenset(DAYS.index(day) for day in _or(values["days"], DAYS[:5]) if day in DAYS)
        if not days:
            problems.add(f"calendars.{name}.days is empty; name the business days")
        found[name] = Calendar(name, days, frozenset(_or(values["holidays"], ())), opens, closes)
    return found


def _recurring(
    document: dict[str, Any], calendars: dict[str, Calendar], commitments: tuple[Commitment, ...], period: PeriodRule,
    problems: Problems,
) -> tuple[tuple[Recurring, ...], tuple[ExclusionRule, ...]]:  # fmt: skip
    """Return what the policy itself excludes day by day, and the rules by which that is taken out."""
    found: list[Recurring] = []
    rules: list[ExclusionRule] = []
    if "service_hours" in document:
        name = _one("service_hours", document, problems)["calendar"] or ""
        if name not in calendars:
            problems.add(
                f"service_hours.calendar {name!r} is not there{nearest(name, calendars)}; add [calendars.{name or 'NAME'}]"
            )
        if period.length_seconds is not None:
            problems.add(
                "period.length contradicts service_hours, whose hours are the denominator; leave one out"
            )
        found.append(Recurring("outside-service-hours", calendars.get(name, Calendar())))
        rules.append(ExclusionRule(frozenset({"outside-service-hours"}), treated="removed"))
    for index, values in enumerate(_many("maintenance", document, problems), 1):
        at = f"maintenance {index}: "
        days = frozenset(DAYS.index(day) for day in _or(values["days"], DAYS) if day in DAYS)
        begins, ends, treated = _or(values["from"], 0), _or(values["to"], 1), _or(values["treated"], "up")
        if not days:
            problems.add(f"{at}days is empty; name the days on which it begins")
        if begins == 86_400:
            problems.add(f"{at}from 24:00 is where a day ends; write 00:00, of the day that follows")
        elif begins == ends:
            clock = f"{ends // 3_600:02}:{ends // 60 % 60:02}"
            problems.add(
                f"{at}to {clock} is when it begins; write when it ends, or 00:00 and 24:00 for whole days"
            )
        own = ExclusionRule(frozenset({"maintenance-window"}), treated=treated)
        if index > 1 and own not in rules:
            problems.add(f"{at}treated is not as in the maintenance before; treat all of it alike")
        rules += [] if own in rules else [own]
        found.append(
            Recurring("maintenance-window", Calendar(f"maintenance-{index}", days, frozenset(), begins, ends))
        )
    if found and not all(one.measure.reads_windows for one in commitments):
        problems.add(
            "service_hours and maintenance have no meaning with a measure that no window makes; leave them out"
        )
    return tuple(found), tuple(rules)


def _claim(values: Values, calendars: dict[str, Calendar], problems: Problems) -> Claim:
    if values["how"] != "on-request":
        _idle("claim.", values, ("within", "anchor", "calendar", "evidence"), 'how = "automatic"', problems)
        return Claim()
    _asked("claim.", values, ("within", "anchor"), 'how = "on-request"', problems)
    amount, unit = _or(values["within"], (None, None))
    name = values["calendar"]
    if name is not None:
        if unit not in ("business-days", "business-hours"):
            problems.add(
                f"claim.calendar {name!r} has no meaning without business days or hours in within; leave it out"
            )
        if name not in calendars:
            problems.add(
                f"claim.calendar {name!r} is not there{nearest(name, calendars)}; add [calendars.{name}]"
            )
    calendar = calendars.get(name or "", Calendar())
    # Opening days and hours of a week; other spans are bounded where they are read.
    a_week = {
        "business-days": Fraction(len(calendar.days)),
        "business-hours": Fraction(len(calendar.days) * (calendar.closes - calendar.opens), 3_600),
    }.get(unit)
    if amount is not None and a_week and amount > _LONGEST_WEEKS * a_week:
        problems.add(
            f"claim.within is more than a hundred years of calendar {calendar.name!r}, which is open {decimal_places(a_week, 2)} "
            f"{unit} a week; write a shorter one"
        )
    return Claim(
        how="on-request", amount=amount, unit=unit, anchor=values["anchor"], calendar=calendar, evidence=values["evidence"] or "",
    )  # fmt: skip


def _version(values: Values, problems: Problems) -> VersionRule:
    rule = _or(values["rule"], "in-force")
    if rule == "in-force":
        _idle("version.", values, ("term_months",), 'rule = "in-force"', problems)
    _within("version.term_months", values["term_months"], 1, 1_200, problems)
    return VersionRule(rule, _or(values["term_months"], 12))


def _termination(
    entries: list[Values], commitments: tuple[Commitment, ...], problems: Problems
) -> tuple[Termination, ...]:
    found = []
    names = [one.name for one in commitments]
    for index, values in enumerate(entries, 1):
        at = f"termination {index}: "
        name = values["commitment"] or (names[0] if names else "")
        if name not in names:
            problems.add(
                f"{at}commitment {name!r} is not there{nearest(name, names)}; name one of the commitments"
            )
            continue
        periods = _or(values["periods"], 1)
        of_last = _or(values["of_last"], periods)
        _within(f"{at}periods", periods, 1, 120, problems)
        if of_last < periods:
            problems.add(f"{at}of_last {of_last} is less than periods {periods}; it counts among so many")
        _within(f"{at}of_last", of_last, 1, 120, problems)
        if not any(
            values[f"{kind}_{side}"] is not None
            for kind in ("availability", "downtime", "value")
            for side in SIDES
        ):
            problems.add(f"{at}no bound is stated; say when the right arises")
            continue
        measure = next(one.measure for one in commitments if one.name == name)
        if (tier := _range(values, measure, at, problems, Remedy())) is not None:
            found.append(Termination(tier, periods, of_last, name))
    return tuple(found)


def _currencies(
    named: tuple[str, ...] | None, commitments: tuple[Commitment, ...], limits: Limits, problems: Problems
) -> tuple[str, ...]:
    """Return the currencies the terms know, each of which must stand in every table of sums."""
    for code in named or ():
        try:
            minor_units(code)
        except Refused as error:
            problems.add(f"currencies: {error}")
    for name, sums in tables_of_sums(limits, commitments):
        missing = [code for code in named or () if sums and code not in dict(sums)]
        if missing:
            problems.add(f"{name} has no sum in {', '.join(missing)}, which currencies names; add it")
    return named or ()
