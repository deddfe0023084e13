"""Nothing can be put into a page: alterations made up for each kind of element in it, and those that a reader would look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import window

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Court, Desk, Open

SAID = "This notice was approved by the regulator."
# Each before what stands for it in the page, or instead of it, and once.
PUT: dict[str, tuple[str, str]] = {
    "main with all that is deleted hidden": ('<main id="main"', '<main class="settled" id="main"'),
    "a notice with all that is deleted hidden": ('class="notice"', 'class="notice settled"'),
    "fields with all that is deleted hidden": ('class="facts"', 'class="facts settled"'),
    "an old figure hidden": ('class="was"', 'class="was settled"'),
    "a bar without labels": ('class="bar outage"', 'class="bar outage unsaid"'),
    "a tick without labels": ('class="tick"', 'class="tick unsaid"'),
    "a second verdict": ("</p>\n</header>", f'<a href="#proof" class="verdict good">{SAID}</a></p>\n</header>'),
    "a second title": ("</h1>", f"</h1><h1>{SAID}</h1>"),
    "a second heading of a revision": ("</h2>\n<dl", f'</h2><h2 id="h99" tabindex="-1">{SAID}</h2>\n<dl'),
    "a second title of a notice": ("</h4>\n<dl", f'</h4><h4 class="title">{SAID}</h4>\n<dl'),
    "a second pair of times": ("</dl>\n<h3>", f'</dl><dl class="clocks"><div><dt>{SAID}</dt></div></dl>\n<h3>'),
    "a second sentence on what was counted": ('<p class="aside counted">', f'<p class="aside counted">{SAID}</p><p class="aside counted">'),
    "a second sentence on what stands": ("</div>\n</article>\n</section>", f'</div><p class="standing">{SAID}</p>\n</article>\n</section>'),
    "a second heading of a figure": ('<p class="big">', f'<h4>{SAID}</h4><p class="big">'),
    "a paragraph in the list of revisions": ("</a></li>", f"</a><p>{SAID}</p></li>"),
    "a cell more in the table of entries": ('<td class="hash leaf">', f'<td>{SAID}</td><td class="hash leaf">'),
    "what is said of a revision under the pointer": ('<section class="revision"', f'<section title="{SAID}" class="revision"'),
    "a field among the controls": ('<p id="hint"', f'<input type="text" value="{SAID}"><p id="hint"'),
    "a filled field": ("autocomplete=\"off\" disabled>", f'autocomplete="off" disabled>{SAID}'),
    "start and end exchanged": ('Start</th><th scope="col">End<', 'End</th><th scope="col">Start<'),
    "region and component exchanged": ('Region</th><th scope="col">Component<', 'Component</th><th scope="col">Region<'),
    "figures said to be none": ('<div class="figures">', '<div class="figures"><p class="aside">No impact window counts in any month by then.</p>'),
    "headings exchanged": ("<h3>What changed</h3>", "<h3>Who said so</h3>"),
    "credits in words": ('<div class="figures">', f'<table class="totals"><tbody><tr><td>{SAID}</td></tr></tbody></table><div class="figures">'),
    "no policy said to be given": ('<p class="aside">No policy was given: downtime is shown as a fact, and no availability.</p>', ""),
    "a style of its own": ("</style>", "</style><style>.mark { display: none }</style>"),
    "another style": ("</style>", ".mark { display: none }</style>"),
    "a policy that allows it": ("default-src &#39;none&#39;", "default-src *"),
    "behind the program": ("</body>", f"<p>{SAID}</p></body>"),
    "behind the page": ("</html>", f"</html><p>{SAID}</p>"),
    "another title of the page": ("<title>Replay of mail<", f"<title>{SAID}<"),
    "in the shadow of a revision": ('<p class="aside counted">', f'<p><template shadowrootmode="open">{SAID}<slot></slot></template></p><p class="aside counted">'),
    "in the shadow of a title": ('<h1 class="settled">', f'<h1 class="settled"><template shadowrootmode="open">{SAID}<slot></slot></template>'),
}  # fmt: skip


SMALL = [
    {"action": "open", "title": "Slow", "status": "investigating", "services": ["email"], "components": ["flow"], "regions": ["EMEA"], "body": "We look."},
    window("first", "08:00:00", "10:00:00", start_within_seconds=60),
    {"action": "correct", "corrects": "v1", "kind": "correction", "set": {"body": "We look on."}, "reason": "A slip."},
]  # fmt: skip


@pytest.fixture
def small(desk: Desk) -> str:
    """Give the page of an incident that has a window and a correction."""
    for act in SMALL:
        desk.act(act)
    return desk.page().read_text(encoding="utf-8")


def test_nothing_can_be_put_into_a_page(small: str, court: Court) -> None:
    outcome, bad = court.judge(small)
    assert outcome.startswith("Verified in this browser"), bad
    assert not [name for name, (before, _) in PUT.items() if before not in small]
    assert not court.survivors({name: small.replace(*change, 1) for name, change in PUT.items()})


def test_words_cannot_pass_for_figures_under_policies(march: Path, court: Court) -> None:
    content = march.read_text(encoding="utf-8")
    places = ('<td class="num availability">', '<td class="num credit">', '<tr data-currency="EUR"><td>')
    assert not [one for one in places if one not in content]
    assert not court.survivors({one: content.replace(one, f"{one}{SAID}", 1) for one in places})


# Alterations of the page as it arrives, at the first element of each kind, told by what it stands in. What still has its
# form, such as a statement that stands there twice, is judged whole.
ALTERED = """([content, said]) => {
  const arrived = new DOMParser().parseFromString(content, "text/html");
  const { outOfForm } = document.querySelector("iframe").contentWindow.replay;
  const holds = () => outOfForm(arrived.documentElement) === "";
  const nameOf = (one) => `${one.localName}.${one.getAttribute("class") || one.id}`.replace(/\\d+/g, "");
  const kinds = new Map();
  for (const one of arrived.body.querySelectorAll("*:not(script, noscript, noscript *)")) {
    const kind = `${one.parentElement.localName} > ${nameOf(one)}`;
    if (!kinds.has(kind)) kinds.set(kind, one);
  }
  const classes = ["settled", "unsaid", "good", "bad", "printed"];
  const attributes = ["title", "hidden", "aria-label", "style", "value"];
  const children = ["h1", "p.aside", "td", "del"];
  const putIn = (one, at, node) => { one.insertBefore(node, at); return () => node.remove(); };
  const put = (one, name, value) => {
    const was = one.getAttribute(name);
    one.setAttribute(name, value);
    return () => { if (was === null) one.removeAttribute(name); else one.setAttribute(name, was); };
  };
  const made = (name) => {
    const [tag, ...own] = name.split("."), element = arrived.createElement(tag);
    if (own.length) element.className = own.join(" ");
    element.textContent = said;
    return element;
  };
  const moved = (one, to, before) => {
    const from = one.parentNode, after = one.nextSibling;
    if (to) to.insertBefore(one, before); else one.remove();
    return () => from.insertBefore(one, after);
  };
  function* alterations(one) {
    yield ["twice", () => putIn(one.parentNode, one, one.cloneNode(true))];
    yield ["gone", () => moved(one, null)];
    yield ["more words", () => putIn(one, null, arrived.createTextNode(said))];
    if (one.nextElementSibling) yield ["exchanged", () => moved(one.nextElementSibling, one.parentNode, one)];
    for (const name of children) yield [`${name} in it`, () => putIn(one, null, made(name))];
    for (const name of classes) {
      if (!one.classList.contains(name)) yield [`class ${name}`, () => put(one, "class", `${one.getAttribute("class") ?? ""} ${name}`.trim())];
    }
    for (const name of attributes) if (name !== "hidden" || !one.hidden) yield [`attribute ${name}`, () => put(one, name, said)];
  }
  let count = 0;
  const left = {};
  if (!holds()) throw new Error("the page itself is out of form");
  for (const [kind, one] of kinds) for (const [name, alter] of alterations(one)) {
    const undo = alter();
    count += 1;
    if (holds()) left[`${kind}: ${name}`] = `<!doctype html>${arrived.documentElement.outerHTML}`;
    undo();
  }
  if (!holds()) throw new Error("an alteration was not undone");
  return [count, left];
}"""
# What the program of the page writes itself when it is opened, and a label less on the axis, which is said not to be compared.
KNOWN = {
    "label > output.place: more words", "text > tspan.since: more words", "svg > g.tick: gone", "svg > g.tick many: gone",
}  # fmt: skip


def test_no_alteration_of_any_kind_of_element_passes(small: str, court: Court) -> None:
    court.judge(small)
    count, left = court.opened.page.evaluate(ALTERED, [small, SAID])
    assert count > 2_000
    assert {name for name, _ in court.survivors(left)} <= KNOWN


def test_a_closed_shadow_shows_nothing(small: str, opened: Open, tmp_path: Path) -> None:
    """It would stand in place of the title, and no program can look into it."""
    for more in ("", " shadowrootclonable"):
        shadow = f'<h1 class="settled"><template shadowrootmode="closed"{more}>{SAID}</template>'
        (tmp_path / "shadow.html").write_text(small.replace('<h1 class="settled">', shadow), encoding="utf-8")
        found = opened(tmp_path / "shadow.html")
        found.outcome()
        assert found.page.is_visible("h1 bdi")
