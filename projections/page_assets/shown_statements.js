// Statements: each state of one stands once, since when and until when it stood, with what was set right in it.
const LONG = 1500;

function compareStatements(shown) {
  const { found, model } = shown;
  const ordered = posts.slice().sort((one, other) => Number(one.dataset.order) - Number(other.dataset.order));
  found.many(ordered, model.posts, "Statements", (article, post) => {
    const name = `v${post.version} as of r${post.first}`, { one, event } = post;
    found.data(article, { order: post.order, first: post.first, until: post.until }, name);
    found.value(article.closest("section").id, `r${post.first}`, `${name}, where it stands`);
    found.element(article, `${post.heading} ${post.changed ? "changed" : "new"} in r${post.first} ${marksOf(one.late, post.after)}
      published ${shownInstant(one.at)}, recorded ${shownInstant(one.entry.recorded)}${post.status ? `, status ${post.status}` : ""}
      ${bodyOf(shown, event)} ${isText(event.reason) ? `reason ${shown.text(event.reason)}` : ""}
      ${post.corrections.map((made) => correctionOf(shown, made)).join(" ")}`, name);
    shown.marked(article.querySelector(".body[data-text]"), post.before, event.body, name);
  });
}

function bodyOf(shown, event) {
  if (!isText(event.body)) return "";
  const letters = event.body.value === null ? 0 : Array.from(event.body.value).length;
  return `${shown.text(event.body)} ${letters > LONG ? `${grouped(letters)} characters.` : ""}
    ${event.body_format === "markdown" ? "Markdown, shown as it was written." : ""}`;
}

function correctionOf(shown, { entry, at, late, after }) {
  const fields = Object.keys(entry.event.set).sort().join(", ");
  return `${entry.event.kind === "editorial" ? "edited" : "corrected"} ${shownInstant(at)} ${marksOf(late, after)} (v${entry.version}: ${fields})
    ${isText(entry.event.reason) ? `: ${shown.text(entry.event.reason)}` : ""}`;
}
