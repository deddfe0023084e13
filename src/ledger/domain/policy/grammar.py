"""The grammar of policy format 2, as data: every table, every key, its kind, default and meaning.

The reader, the sentences about unknown keys, the reference page and the JSON Schema are all made from it, so that
none of them can say something else than the others.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

from ledger.domain.events import EFFECTS
from ledger.domain.exclusion import ExclusionKind
from ledger.domain.money import ALL_ROUNDINGS

__all__ = ["GRAMMAR", "Field", "Kind", "Table", "table_of"]

# text: words. key: a stream key. date: a TOML date. zone: an IANA zone. choice, choices: one of, or a list of,
# Field.choices. integer: a whole number. flag: true or false. decimal, percent: a decimal as text. fraction: text
# such as "1/30", up to 1. ratio: a decimal or a fraction as text. duration: text
# such as "30 minutes". span: a duration, or one in months, periods, business days or hours. money: a table of
# currency and amount as text. clock: "09:00". beyond: an allowance, as a duration, a percentage with its sign or
# "tier-edge". texts, dates: lists of them. free: checked elsewhere.
Kind: TypeAlias = Literal[
    "text", "key", "date", "zone", "choice", "choices", "integer", "flag", "decimal", "percent", "fraction", "ratio", "duration", "span",
    "money", "clock", "beyond", "texts", "dates", "free",
]  # fmt: skip


class Field(msgspec.Struct, frozen=True):
    """One key of a table: default is what leaving it out means, in words or as it would be written; None: nothing."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    example: str = ""


class Table(msgspec.Struct, frozen=True):
    """One table of a policy. path: its name, "" for the document. many: written [[path]], any number of times.

    in_commitments: it may also stand inside [[commitments]], and then stands there only.
    """

    path: str
    meaning: str
    fields: tuple[Field, ...]
    many: bool = False
    in_commitments: bool = False


EXCLUSION_KINDS: tuple[str, ...] = get_args(ExclusionKind)
MEASURED = ("requests", "users", "messages", "executions", "latency")
# How a bound may be written: the side, and whether the number itself belongs to the range.
SIDES = ("at_least", "above", "at_most", "below")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _bounds() -> tuple[Field, ...]:
    said = {
        "at_least": "or better", "above": "and not the number itself", "at_most": "or less",
        "below": "and not the number itself",
    }  # fmt: skip
    return (
        *(
            Field(f"availability_{side}", "percent", f"Bound of the availability in percent, {said[side]}.", example='"99.9"')
            for side in SIDES
        ),
        *(
            Field(f"downtime_{side}", "duration", "Bound of the eligible downtime of the period, the number itself in or out as named.",
                  example='"7.2 hours"')
            for side in SIDES
        ),
        *(
            Field(f"value_{side}", "decimal", "Bound of a latency (in measure.unit), of days or of a count.", example='"60"')
            for side in SIDES
        ),
    )  # fmt: skip


GRAMMAR: tuple[Table, ...] = (
    Table("", "The document itself.", (
        Field("format", "integer", "2.", required=True, example="2"),
        Field("policy", "key", "The key of the policy, which is also that of its stream.", required=True, example='"mail"'),
        Field("title", "text", "What people call it.", default='""', example='"E-mail, gold"'),
        Field("in_force_from", "date", "First day in force, in period.zone.", required=True, example="2022-01-01"),
        Field("currencies", "texts", "The currencies the terms know; a fee in another one is refused.", default="any",
              example='["USD", "EUR"]'),
    )),
    Table("source", "Where the terms were read. Evaluates nothing; it is shown with the policy.", (
        Field("name", "text", "Whose terms they are, and which.", required=True, example='"Example Inc., service level agreement"'),
        Field("address", "text", "Where they were read.", default='""', example='"https://example.com/sla"'),
        Field("read_on", "date", "When they were read.", default="not said", example="2022-03-01"),
        Field("state", "choice", "How far the figures were compared with the source.", required=True,
              choices=("verified", "partly-verified", "not-verified"), example='"verified"'),
        Field("note", "text", "What was not read, or had to be assumed.", default='""'),
    )),
    Table("period", "The time that one figure is computed for.", (
        Field("kind", "choice", "calendar-four-months begin with January, May and September. billing-month begins on anchor_day, contract-year on that day of "
              "anchor_month; trailing-days are so many days up to the asked day.", required=True,
              choices=("calendar-month", "calendar-quarter", "calendar-four-months", "calendar-half-year", "calendar-year", "contract-year",
                       "billing-month", "trailing-days"),
              example='"calendar-month"'),
        Field("zone", "zone", "IANA zone in which days, months and years begin.", required=True, example='"UTC"'),
        Field("anchor_day", "integer", "billing-month, contract-year: the day of the month on which it begins, 1 to 31; in a shorter month its last day.",
              default="1", example="15"),
        Field("anchor_month", "integer", "contract-year: the month in which it begins, 1 to 12.", example="4"),
        Field("days", "integer", "trailing-days: how many.", example="30"),
        Field("length", "duration", "The denominator: actual seconds of the period (left out), or always this.", default="the actual length",
              example='"730 hours"'),
        Field("part", "choice", "A subscription, or resource, that is there for a part of the period: whole keeps the whole period as "
              "denominator; lifetime takes only the part.", default='"whole"', choices=("whole", "lifetime"), example='"lifetime"'),
    )),
    Table("measure", "What is measured. It makes an availability, or for latency, consecutive-days, bad-days and events a value.", (
        Field("of", "choice", "time: seconds that are down. affected-share: seconds weighted by the affected share. user-minutes: the same for "
              "users, where overlapping windows add up without a limit. error-rate: 1 minus the average error rate of all buckets. "
              "executions, messages: 1 minus failed by total over the period. latency: a measured duration. consecutive-days: the longest run of bad days. bad-days: how "
              "many of them there were. events: how many there were.", required=True,
              choices=("time", "affected-share", "user-minutes", "error-rate", "executions", "messages", "latency",
                       "consecutive-days", "bad-days", "events"), example='"time"'),
        Field("reads", "choices", "Which recorded measurements it reads beside, or instead of, windows.",
              default="[] for time, affected-share, user-minutes, bad-days and events; requests for error-rate; the one of the same name for executions, messages and "
              "latency; messages for consecutive-days", choices=MEASURED, example='["requests"]'),
        Field("bucket", "duration", "error-rate: the length of a bucket. Buckets begin at the start of the period.", example='"5 minutes"'),
        Field("statistic", "text", "latency: which statistic, as measurements name it.", example='"p95"'),
        Field("unit", "choice", "latency: the unit of value_ bounds.", default='"seconds"',
              choices=("milliseconds", "seconds", "minutes"), example='"seconds"'),
        Field("combine", "choice", "latency: how several measurements of one period become one value.", default='"average"',
              choices=("average", "maximum"), example='"maximum"'),
        Field("counts", "choice", "events: incidents with counted downtime, counted outages, or what failed in measurements.",
              default='"incidents"', choices=("incidents", "outages", "failed"), example='"incidents"'),
        Field("missing", "choice", "Time without data: it was up, is taken out of the denominator, or was down. An empty bucket (total 0) has data: 0% errors.",
              default='"available"', choices=("available", "excluded", "down"), example='"excluded"'),
    ), in_commitments=True),
    Table("counting", "Which seconds are down.", (
        Field("effects", "choices", "Windows with these effects count. Required where windows are read: time, affected-share and user-minutes, unless "
              "measure.reads names what is measured instead, events of incidents or outages, and days that read no measurements.", choices=EFFECTS,
              default="[]", example='["outage", "data-loss"]'),
        Field("down", "choice", "When a second is down: any: a window or a failure in it is enough. above-share: the affected share, or error rate, is above "
              "share_above. at-least-share: it is share_at_least, or above. all: everything fails.", default='"any"',
              choices=("any", "above-share", "at-least-share", "all"), example='"above-share"'),
        Field("share_above", "decimal", "above-share: the share that must be exceeded, from 0 to below 1. consecutive-days, bad-days of measurements: a day is bad above it.",
              example='"0.05"'),
        Field("share_at_least", "decimal", "at-least-share: the share that must be reached, above 0 to 1. consecutive-days, bad-days of measurements: a day is bad from it on.",
              example='"0.05"'),
        Field("day_above", "duration", "consecutive-days, bad-days of windows: a local day is bad where more than this of it was down.", default='"0 seconds"',
              example='"30 minutes"'),
        Field("minimum", "duration", "An outage counts only if it lasts at least so long without a break, also outside of the period.", default="none", example='"1 minute"'),
        Field("unless_daily_total_above", "duration", "Shorter ones count all the same on a local day on which all of them together last longer than this.",
              example='"5 minutes"'),
        Field("daily_total_counts", "choice", "What then counts of the shorter ones: all of it, or what exceeds the limit.", default='"all"',
              choices=("all", "excess"), example='"all"'),
        Field("quantise", "choice", "exact; each-up, each-down, each-nearest: every outage, the whole of it, to whole quanta; total-up, total-down, total-nearest: the sum; slots-touched, "
              "slots-filled: quanta counted from the start of the period are down if any second, or every second, of them is.", default='"exact"',
              choices=("exact", "each-up", "each-down", "each-nearest", "total-up", "total-down", "total-nearest", "slots-touched", "slots-filled"),
              example='"slots-touched"'),
        Field("ties", "choice", "each-nearest, total-nearest: what half a quantum comes to. even: the even number of quanta.", choices=("up", "down", "even"),
              example='"up"'),
        Field("quantum", "duration", "The unit of quantise, in whole seconds.", default='"1 minute"', example='"5 minutes"'),
    ), in_commitments=True),
    Table("scope", "Where downtime counts.", (
        Field("regions", "choice", "each: the region of the subscription. union: whenever any region of the service is down. service-wide: only while all "
              "regions are down at once.", default='"each"', choices=("each", "union", "service-wide"), example='"union"'),
        Field("all_regions", "texts", "service-wide: the regions that there are.", example='["NAM", "EMEA"]'),
        Field("components", "texts", "Only windows of these components count.", default="all", example='["mail flow"]'),
    ), in_commitments=True),
    Table("tiers", "A range, and what it pays. Each has up to one lower and one upper bound, all of one kind.", (
        *_bounds(),
        Field("credit_percent", "percent", "Percent of the base.", example='"10"'),
        Field("credit_fraction", "fraction", "The same as an exact part of the base, for what no decimal says.", example='"1/30"'),
        Field("credit_multiple", "ratio", "So many times the base for the time down: base x eligible downtime / period, of which no more than the whole period counts. 1 is proportional.", example='"10"'),
        Field("credit_fixed", "money", "A sum by currency.", example='{ USD = "3000.00" }'),
        Field("credit_hourly", "money", "A rate by currency for each hour of eligible downtime, parts of an hour in proportion.", example='{ USD = "0.50" }'),
        Field("service_days", "decimal", "Days of service added at the end of the term; not money.", example='"3"'),
        Field("per", "choice", "credit_percent, credit_fraction, credit_fixed and service_days: once per period, for each block of downtime, or for each unit of the "
              "measured value.", default='"period"', choices=("period", "block", "unit"), example='"block"'),
        Field("block", "duration", "per = block: its length.", example='"30 minutes"'),
        Field("blocks", "choice", "per = block: only full blocks count, or also the one that was begun.", default='"full"',
              choices=("full", "begun"), example='"full"'),
        Field("beyond", "beyond", "Only what exceeds this allowance is paid for: the time, blocks or units beyond it. tier-edge: the bound of the tier on its better "
              "side, so that of units value_at_least 2 leaves two unpaid, and value_above 1 one. An availability stands for the downtime that it leaves.", default="all of it is paid for", example='"tier-edge"'),
        Field("take", "choice", "Required where a tier states several amounts of money.", choices=("lesser", "greater", "sum"), example='"lesser"'),
    ), many=True, in_commitments=True),
    Table("target", "What was promised. It pays nothing: the linter finds tiers that pay although it was met, and those that pay nothing although it was missed.",
          _bounds(), in_commitments=True),
    Table("reading", "How tiers are read where the contract itself leaves a hole or says two things. refused: such a policy is not accepted.", (
        Field("gaps", "choice", "undecided: between what the neighbours pay. pays-nothing: 0.", default='"refused"',
              choices=("refused", "undecided", "pays-nothing"), example='"undecided"'),
        Field("overlaps", "choice", "undecided: between what they pay. greatest: the one that pays most.", default='"refused"',
              choices=("refused", "undecided", "greatest"), example='"undecided"'),
    ), in_commitments=True),
    Table("commitments", "Several service levels in one policy: each has its own measure, counting, scope, tiers and reading, written "
          "[commitments.measure], [[commitments.tiers]] and so on; then none of these stands at the top.", (
        Field("name", "key", "Its name, unique in the policy.", required=True, example='"latency"'),
    ), many=True),
    Table("exclusions", "Time that does not count as down. Kinds that no table names are not excluded.", (
        Field("kinds", "choices", "What is excluded. A window that is planned counts as planned-maintenance for its schedule.", required=True,
              choices=EXCLUSION_KINDS, example='["planned-maintenance"]'),
        Field("notice", "duration", "It must have been announced at least so long before its start.", default="none asked for", example='"48 hours"'),
        Field("most", "duration", "No more than so much of it, earliest first, in all regions of the service together.", default="no limit", example='"10 hours"'),
        Field("most_per", "choice", "What the limit holds for: a calendar year in period.zone, or a period.", default='"year"', choices=("year", "period"), example='"year"'),
        Field("treated", "choice", "up: it stays in the denominator as time that was up. removed: it leaves the denominator where it is about all that the commitment is about; time excluded for one component of several, or in one region of a wider scope, does not leave it.", default='"up"',
              choices=("up", "removed"), example='"removed"'),
    ), many=True),
    Table("service_hours", "Hours in which the service has to be there, where these are not all. Time outside them is not down, and leaves the denominator.", (
        Field("calendar", "key", "The calendar whose business days and hours they are.", required=True, example='"office"'),
    )),
    Table("maintenance", "Hours of maintenance that come again, as the contract itself announces them: what is down in them does not count, and uses up no "
          "limit of an exclusion.", (
        Field("days", "choices", "The days on which it begins.", default="all", choices=DAYS, example='["sunday"]'),
        Field("from", "clock", "When it begins, in period.zone.", required=True, example='"23:00"'),
        Field("to", "clock", "When it ends; on the next day, where that is before it begins. Whole days are 00:00 to 24:00.", required=True, example='"02:00"'),
        Field("treated", "choice", "As for exclusions: up stays in the denominator, removed leaves it. The same for all maintenance of a policy.", default='"up"', choices=("up", "removed"),
              example='"removed"'),
    ), many=True),
    Table("credit", "From a remedy to an amount.", (
        Field("of", "choice", "The base. fee: of this service for the period. region-charges: what was charged in the region. service-share: the share of a suite's fee. "
              "preceding-fee: the fee of the period before. annual-fee: the fee of a year, divided by the periods in one.", default='"fee"',
              choices=("fee", "region-charges", "service-share", "preceding-fee", "annual-fee"), example='"fee"'),
        Field("share", "percent", "service-share: this service's part of the fee of the suite.", example='"40"'),
        Field("rounding", "choice", "How the amount is rounded to the minor unit, once, at the end.", required=True, choices=ALL_ROUNDINGS, example='"half-up"'),
        Field("factor_decimals", "integer", "If given, the factor of the base is rounded first, to so many decimals.", default="not rounded", example="2"),
        Field("factor_rounding", "choice", "How the factor is rounded.", default="as rounding", choices=ALL_ROUNDINGS, example='"half-up"'),
        Field("clawback", "flag", "Whether a credit that was issued and proves too high is taken back.", default="false", example="false"),
    )),
    Table("limits", "The most that is paid, and the least.", (
        Field("percent", "percent", "At most so much of the base per period.", default="no limit", example='"100"'),
        Field("amount", "money", "At most this sum per period.", default="no limit", example='{ USD = "500.00" }'),
        Field("days", "decimal", "At most so many days of service per period.", default="no limit", example='"15"'),
        Field("rolling_percent", "percent", "With what was credited before in rolling_months, this period included, at most so much of one base.", default="no limit",
              example='"100"'),
        Field("rolling_months", "integer", "The months of rolling_percent.", default="12", example="12"),
        Field("rolling_over", "choice", "What rolling_percent holds for: rolling_months; the calendar year, in period.zone, in which the period ends; or the year of the "
              "contract, which begins with the month of valid_from of the subscription.", default='"months"',
              choices=("months", "calendar-year", "contract-year"), example='"calendar-year"'),
        Field("only_above", "money", "An amount that is not above this is not paid at all.", default="no limit", example='{ USD = "1.00" }'),
        Field("at_least", "money", "A smaller amount is raised to this, where anything is owed, and as far as the other limits let it.", default="no limit",
              example='{ USD = "1.00" }'),
    )),
    Table("stacking", "What happens when several things fail.", (
        Field("commitments", "choice", "Of several commitments: the best for the customer, the one the customer chooses, or all. Money and days of service are "
              "not compared: best-of gives the best of each.", default='"best-of"',
              choices=("best-of", "choose-one", "sum"), example='"best-of"'),
        Field("incidents", "choice", "together: one figure for the period. Otherwise each incident that may be in the region and the time asked for is measured "
              "alone, and of their remedies the best, the chosen one or all count.", default='"together"', choices=("together", "best-of", "choose-one", "sum"), example='"together"'),
    )),
    Table("claim", "Whether credits must be claimed, and until when. Left out: automatic.", (
        Field("how", "choice", "automatic: paid without a claim. on-request: only if it is claimed in time.", required=True, choices=("automatic", "on-request"), example='"on-request"'),
        Field("within", "span", "on-request: how long after the anchor. Days, business days, months and periods end with their last day in period.zone; hours, "
              "business hours and shorter ones may be decimals, and end with the second they fall into. No longer than a hundred years: 36600 days, business "
              "days or business hours, 1200 months or periods.",
              example='"5 business-days"'),
        Field("anchor", "choice", "on-request: when it begins. month-end, quarter-end: of the month or quarter the incident began in; period-end: of the "
              "policy's period; eligibility: when the customer became entitled, the end of the period unless it is stated.",
              choices=("incident-start", "incident-end", "month-end", "period-end", "quarter-end", "eligibility"), example='"incident-end"'),
        Field("calendar", "key", "The calendar of business days or hours.", default="Monday to Friday, no holidays", example='"england"'),
        Field("evidence", "text", "What has to come with it; shown.", default='""', example='"server logs"'),
    )),
    Table("facts", "How facts that are still open count where credits are issued. Left out: they are refused, unless who issues says how they count.", (
        Field("undecided", "choice", "Where the facts decide no amount: such a line is refused, or this end of the bounds is issued. Once it is decided, "
              "an adjustment says so.", default='"refused"', choices=("refused", "least", "most"), example='"least"'),
        Field("provisional", "choice", "Windows without an end, and cohorts of which it is not known who is in them: a line they touch is refused, or counts them as "
              "they stand.", default='"refused"', choices=("refused", "as-they-stand"), example='"as-they-stand"'),
    )),
    Table("calendars", "Named calendars, written [calendars.NAME].", (
        Field("days", "choices", "Which days are business days.", default="Monday to Friday", choices=DAYS, example='["monday", "tuesday"]'),
        Field("holidays", "dates", "Days that are none.", default="[]", example="[2022-05-02]"),
        Field("opens", "clock", "When business hours begin, in period.zone.", default='"00:00"', example='"09:00"'),
        Field("closes", "clock", "When they end.", default='"24:00"', example='"17:30"'),
    )),
    Table("version", "Which version of the terms a subscription has.", (
        Field("rule", "choice", "in-force: a new version holds for everybody from the first period that begins on its first day or later. frozen-for-term: what held when a "
              "term began holds until it ends. on-renewal: this version holds for customers that were there before only from their next term on. Of both a term that "
              "begins within a period has the terms of its own first day for all of it.", default='"in-force"',
              choices=("in-force", "frozen-for-term", "on-renewal"), example='"on-renewal"'),
        Field("term_months", "integer", "How long a term is.", default="12", example="12"),
    )),
    Table("termination", "When the customer may end the contract: in so many of the last periods, the latest among them, the bounds held.", (
        *_bounds(),
        Field("periods", "integer", "In how many periods.", default="1", example="3"),
        Field("of_last", "integer", "Among how many; the same number means in a row.", default="as periods", example="3"),
        Field("commitment", "key", "Which commitment, where there are several.", default="the first", example='"availability"'),
    ), many=True),
    Table("examples", "Worked examples; the linter runs them.", (
        Field("name", "text", "What it shows.", default='""', example='"exactly at the edge"'),
        Field("facts", "free", "The facts, as `ledger sla evaluate` reads them from JSON, decimals as text.", required=True,
              example='{ period = "2022-03", downtime_minutes = "450" }'),
        Field("expect", "free", "Fields of its answer, and their values.", required=True, example='{ credit_percent = "30" }'),
    ), many=True),
)  # fmt: skip


def table_of(path: str) -> Table:
    """Return the table of a path; KeyError where there is none."""
    for table in GRAMMAR:
        if table.path == path:
            return table
    raise KeyError(path)
