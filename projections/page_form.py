"""The form of the replay page as data: which elements, attributes and words stand where, read off the template itself.

The program in the page carries this, and follows the page as it arrived along it, from the first character to the last:
what stands anywhere else, or twice where the template has it once, has no place in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape, unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

__all__ = ["page_form"]

# Of what is not told again from the entries, at least the manner is known: percentages, sums, counts.
_PERCENT = r"[0-9.]+%(?:to[0-9.]+%)?"
_MONEY = r"[0-9.,-]+(?:to[0-9.,-]+)?"
_KINDS = {
    "policy.availability": _PERCENT,
    "policy.credit": rf"(?:{_PERCENT}|asitsrulesays)",
    "policy.version": "[0-9]+",
    "row.period": "[0-9]{4}-[0-9]{2}",
    "row.currency": "[A-Z]+",
    "row.subscriptions": "[0-9]+",
    "row.fee": _MONEY,
    "row.credit": _MONEY,
    "row.before": _MONEY,
    "found.erased.word": r"\[(?:erased|missing)\]",
    # What these elements hold is not written down.
    "style": "",
    "program": "",
    "data_json": "",
}


def page_form(environment: Environment, template: str, policy: str) -> dict[str, Any]:
    """Return the form of the pages that a template makes: `page`, and the `rules` of its macros by name.

    A form is a pattern (a regular expression of JavaScript, of one element's start or end and the words after it), a list of
    forms one after another, {"any": forms} of which the first that fits stands, {"many": form} or, once at least,
    {"some": form}, or {"rule": name}. Words are without spaces. policy: the pattern of the Content-Security-Policy.
    """
    # What is read without programs only is read where nothing is checked.
    seen = re.sub("<!doctype html>|(?<=<noscript>).*(?=</noscript>)", "", template)
    made = _Form(environment.parse(seen), {**_KINDS, "content_policy": policy})
    return {"page": made.page, "rules": made.rules}


class _Form:
    """Follows a template in its order; `within`: whether that is within a tag."""

    def __init__(self, template: nodes.Template, kinds: Mapping[str, str]) -> None:
        from jinja2 import nodes

        self.nodes, self.kinds = nodes, kinds
        self.macros = {one.name: one for one in template.find_all(nodes.Macro)}
        self.rules: dict[str, Any] = {}
        self.within = False
        self.page = self.all_of(template.body, {})

    def all_of(self, found: Iterable[nodes.Node], bound: Mapping[str, nodes.Expr]) -> Any:
        """Return the form of parts of the template one after another, as one pattern where it can be."""
        parts: list[Any] = []
        for one in found:
            for part in self.parts(one, bound):
                # An element begins a pattern of its own, so that it can be said where a page leaves its form.
                if (
                    isinstance(part, str)
                    and parts
                    and isinstance(parts[-1], str)
                    and not part.startswith("<")
                ):
                    parts[-1] += part
                elif part:
                    parts.append(part)
        return "" if not parts else parts[0] if len(parts) == 1 else parts

    def parts(self, one: nodes.Node, bound: Mapping[str, nodes.Expr]) -> Iterator[Any]:
        nodes = self.nodes
        if isinstance(one, nodes.Output):
            for each in one.nodes:
                yield from self.parts(each, bound)
        elif isinstance(one, nodes.TemplateData):
            yield from self.data(one.data)
        elif isinstance(one, nodes.If):
            yield _any(
                self.all_of(body, bound) for body in (one.body, *(each.body for each in one.elif_), one.else_)
            )
        elif isinstance(one, nodes.For):
            yield self.loop(one, bound)
        elif not isinstance(one, nodes.Macro | nodes.Assign):
            yield from _listed(self.expression(one, bound))

    def loop(self, one: nodes.For, bound: Mapping[str, nodes.Expr]) -> Any:
        if not self.marks_up(one):
            return self.slot("")
        body = self.all_of(one.body, bound)
        return _any([{"some": body}, self.all_of(one.else_, bound)]) if one.else_ else {"many": body}

    def expression(self, one: nodes.Node | None, bound: Mapping[str, nodes.Expr]) -> Any:
        """Return the form of what an expression writes: words that stand in it, a macro, or a slot that takes any."""
        nodes = self.nodes
        if one is None:
            return ""
        if isinstance(one, nodes.Name) and one.name in bound:
            return self.expression(bound[one.name], {})
        if isinstance(one, nodes.Const):
            return self.words(str(one.value))
        if isinstance(one, nodes.CondExpr):
            return _any([self.expression(one.expr1, bound), self.expression(one.expr2, bound)])
        if isinstance(one, nodes.Concat):
            return "".join(self.expression(each, bound) for each in one.nodes)
        if isinstance(one, nodes.Call) and isinstance(one.node, nodes.Name) and self.marks_up(one):
            return self.macro(self.macros[one.node.name], one.args)
        return self.slot(_name(one))

    def macro(self, macro: nodes.Macro, given: Sequence[nodes.Expr]) -> Any:
        """Return the form of a macro, with the words put into it that are given in the template itself."""
        names = [one.name for one in macro.args]
        bound = {
            **dict(zip(names[len(names) - len(macro.defaults) :], macro.defaults, strict=True)),
            **dict(zip(names, given, strict=False)),
        }
        known = {
            name: one
            for name, one in bound.items()
            if isinstance(one, self.nodes.Const | self.nodes.CondExpr)
        }
        made = self.all_of(macro.body, known)
        if _is_pattern(made):
            return made
        key = " ".join([macro.name, *(self.expression(one, {}) for one in known.values())])
        self.rules[key] = made
        return {"rule": key}

    def marks_up(self, one: nodes.Node) -> bool:
        """Tell whether elements come of a part of the template."""
        return any("<" in data.data for data in one.find_all(self.nodes.TemplateData)) or any(
            self.marks_up(self.macros[name.name])
            for name in [one, *one.find_all(self.nodes.Name)]
            if isinstance(name, self.nodes.Name) and name.name in self.macros
        )

    def slot(self, name: str) -> str:
        return self.kinds.get(name, '[^"<>]*' if self.within else "[^<>]*" if not name else "[^<>]+")

    def data(self, text: str) -> Iterator[str]:
        # Elements without an end are written alike, whether they say so or not.
        for one in re.findall("<|/?>|(?:[^<>/]|/(?!>))+", text):
            if one in ("<", ">", "/>"):
                self.within = one == "<"
                yield one[-1]
            else:
                yield self.words(one)

    def words(self, text: str) -> str:
        plain = (
            text
            if self.within
            else escape("".join(unescape(text).split()), quote=False).replace('"', "&quot;")
        )
        return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", plain)


def _any(found: Iterable[Any]) -> Any:
    """Return the form of one of several: a pattern where each is, as what comes before may have to give way."""
    forms = list(found)
    if all(_is_pattern(one) for one in forms):
        return f"(?:{'|'.join(''.join(one) for one in forms)})"
    return {"any": forms}


def _is_pattern(form: Any) -> bool:
    return isinstance(form, str) or (isinstance(form, list) and all(isinstance(one, str) for one in form))


def _listed(form: Any) -> list[Any]:
    return form if isinstance(form, list) else [form]


def _name(one: Any) -> str:
    """Return an expression as it stands in the template, without filters."""
    from jinja2 import nodes

    if isinstance(one, nodes.Filter):
        return _name(one.node)
    if isinstance(one, nodes.Getattr):
        return f"{_name(one.node)}.{one.attr}"
    return one.name if isinstance(one, nodes.Name) else "an expression"
