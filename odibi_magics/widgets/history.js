// The page's half of a live history, behind page.js. Python sorts, filters, formats and redacts; the page asks for the
// rows in sight.

const ROW = 26; // pixels, as in history.css
const SPARE = 12; // rows kept ready above and below those in sight

// The table of versions ----------------------------------------------------------------------------------------------

class Table {
  constructor(ask, answer, chosen) {
    this.ask = ask;
    this.chosen = chosen;
    this.order = { column: 0, descending: true, words: "" };
    this.rows = new Map();
    this.active = 0;
    this.wanted = null;
    this.asking = false;
    this.columns = answer.columns;
    this.head = element("div", { role: "row", class: "head", "aria-rowindex": 1 }, ...answer.columns.map(this.header, this));
    this.body = element("div", { role: "rowgroup", class: "body" });
    this.grid = element(
      "div",
      { role: "grid", class: "grid", "aria-label": `Versions of ${answer.address}`, "aria-colcount": answer.columns.length },
      element("div", { role: "rowgroup", class: "top" }, this.head),
      this.body,
    );
    this.element = element("div", { class: "scroll", onscroll: () => this.show(), onkeydown: (event) => this.key(event) }, this.grid);
    this.take(answer);
  }

  header(name, i) {
    const button = element("button", { type: "button", onclick: () => this.sort(i) }, name);
    return element("div", { role: "columnheader", class: className(name), "aria-colindex": i + 1 }, button);
  }

  sort(column) {
    const same = column === this.order.column;
    this.again({ column, descending: same ? !this.order.descending : column < 2 || (column > 4 && column < 8) });
  }

  // Another order, or more to show: what is there stays until the answer comes.
  again(change = {}) {
    this.order = { ...this.order, ...change };
    if (Object.keys(change).length) this.element.scrollTop = this.active = 0;
    return this.want();
  }

  // Asks for what is in sight. One question is under way at a time; of those that come meanwhile the last counts.
  async want() {
    this.wanted = this.sight();
    if (this.asking) return;
    this.asking = true;
    while (this.wanted) {
      const { first, length } = this.wanted;
      const order = this.order;
      this.wanted = null;
      const answer = await this.ask({ ask: "rows", ...order, first, length });
      if (answer.error) this.onfailure?.(answer.error);
      else if (order === this.order) this.take(answer);
    }
    this.asking = false;
  }

  take(answer) {
    if (this.taken !== this.order || this.loaded !== answer.loaded) this.rows.clear();
    this.taken = this.order;
    this.loaded = answer.loaded;
    this.matches = answer.matches;
    answer.rows.forEach((row, i) => this.rows.set(answer.first + i, row));
    this.body.style.height = `${answer.matches * ROW}px`;
    this.grid.setAttribute("aria-rowcount", answer.more ? -1 : answer.matches + 1);
    this.head.childNodes.forEach((cell, i) => {
      const here = i === this.order.column;
      cell.hidden = answer.empty.includes(i);
      cell.setAttribute("aria-sort", here ? (this.order.descending ? "descending" : "ascending") : "none");
    });
    this.empty = answer.empty;
    this.onstate?.(answer);
    this.draw();
  }

  sight() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - SPARE);
    const height = this.element.clientHeight || 400;
    return { first, length: Math.ceil(height / ROW) + 2 * SPARE };
  }

  show() {
    this.draw();
    const { first, length } = this.sight();
    const last = Math.min(first + length, this.matches);
    for (let i = first; i < last; i++) if (!this.rows.has(i)) return this.want();
  }

  draw() {
    const { first, length } = this.sight();
    const focused = this.body.contains(document.activeElement);
    const made = [];
    for (let i = first; i < Math.min(first + length, this.matches); i++) made.push(this.row(i));
    this.body.replaceChildren(...made);
    if (focused) this.focus();
  }

  row(i) {
    const row = this.rows.get(i);
    const cells = this.columns.map((name, column) => {
      const [text, hover] = row ? row.cells[column] : [column ? "" : "…", ""];
      const hidden = this.empty.includes(column);
      return element("div", { role: "gridcell", class: className(name), title: hover || text || null, hidden, "aria-colindex": column + 1 }, text);
    });
    const made = element(
      "div",
      {
        role: "row",
        class: i % 2 ? "row odd" : "row",
        "aria-rowindex": i + 2,
        "aria-selected": row && row.version === this.selected ? "true" : "false",
        tabindex: i === this.active ? 0 : -1,
        onclick: () => this.choose(i),
      },
      ...cells,
    );
    made.style.top = `${i * ROW}px`;
    return made;
  }

  choose(i) {
    const row = this.rows.get(i);
    if (!row) return;
    this.active = i;
    this.select(row.version);
    this.focus();
    this.chosen(row.version);
  }

  select(version) {
    this.selected = version;
    this.draw();
  }

  key(event) {
    if (!this.body.contains(event.target)) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.move(this.active + steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.choose(this.active);
    else return;
    event.preventDefault();
  }

  move(to) {
    this.active = Math.max(0, Math.min(this.matches - 1, to));
    const top = this.active * ROW;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + 2 * ROW > scrollTop + clientHeight) this.element.scrollTop = top + 2 * ROW - clientHeight;
    this.show();
    this.focus();
  }

  focus() {
    this.body.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }
}

function className(column) {
  return `c-${column.split(" ")[0]}`;
}

const LONG = 200; // characters

// A long text, as the JSON of a table's metadata, opens on a click on its beginning.
function folded(text) {
  return text.length > LONG ? element("details", {}, element("summary", {}, `${text.slice(0, 40)}…`), text) : text;
}

// What can be done with a version ------------------------------------------------------------------------------------

class Version {
  constructor(ask, closed) {
    this.ask = ask;
    this.closed = closed;
    this.element = element("section", { class: "version", hidden: true, onkeydown: (event) => event.key === "Escape" && this.close() });
  }

  async open(version) {
    if (version === this.version) return;
    this.version = version;
    const answer = await this.ask({ ask: "version", version });
    if (this.version !== version) return; // another was chosen meanwhile
    this.element.hidden = false;
    this.element.setAttribute("aria-label", `Version ${version}`);
    this.result = element("div", { class: "result", "aria-live": "polite" });
    const close = element("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.close() }, "×");
    const title = element("div", { class: "title" }, element("b", {}, `Version ${version}`), close);
    this.element.replaceChildren(title, ...(answer.error ? [failure(answer.error)] : this.parts(answer)));
  }

  parts(answer) {
    const facts = answer.facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, folded(text))]);
    const other = element("input", { type: "number", min: 0, step: 1, "aria-label": "Version to compare with" });
    if (this.version) other.value = this.version - 1; // before the first one there is none
    const preview = () => this.run("Reading…", { ask: "preview", version: this.version }, answer.preview);
    const keys = element("input", { placeholder: "keys, as id", "aria-label": "Columns that tell rows apart; none: rows as wholes" });
    const diff = () =>
      other.value === ""
        ? other.focus()
        : this.run("Comparing…", { ask: "diff", version: this.version, other: Number(other.value), keys: keys.value });
    const actions = element(
      "div",
      { class: "actions" },
      element("button", { type: "button", onclick: preview }, "Preview rows"),
      element("span", { class: "pair" }, element("button", { type: "button", onclick: diff }, "Diff with version"), other, keys),
      element("span", { class: "pair" }, "Restore:", command(answer.restore)),
    );
    return [element("dl", {}, ...facts), actions, this.result];
  }

  async run(word, question, line) {
    const place = this.result;
    place.replaceChildren(element("p", {}, word));
    const answer = await this.ask(question);
    const told = answer.error ? [failure(answer.error)] : blocks(answer.blocks);
    const paste = answer.command ?? line;
    place.replaceChildren(...told, ...(paste ? [command(paste)] : []));
  }

  close() {
    this.element.hidden = true;
    this.version = null;
    this.closed();
  }
}

// All of it ----------------------------------------------------------------------------------------------------------

class Live {
  constructor(ask, answer) {
    this.ask = ask;
    this.version = new Version(ask, () => {
      this.table.select(null);
      this.table.focus();
    });
    this.table = new Table(ask, answer, (version) => this.version.open(version));
    this.said = element("span", { role: "status", "aria-live": "polite", class: "said" });
    this.progress = element("progress", { hidden: true, "aria-label": "Loading" });
    this.load = element("button", { type: "button", onclick: () => (this.loading ? this.stop() : this.rest()) });
    const filter = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter versions", oninput: () => this.filter(filter.value) });
    const bar = element("div", { class: "bar" }, element("b", {}, answer.address), filter, this.said, this.load, this.progress);
    // Notebooks read single keys as commands, deleting the cell among them.
    this.element = element(
      "div",
      { class: "odibi-live odibi-history", "data-lm-suppress-shortcuts": "true", onkeydown: (event) => event.stopPropagation() },
      bar,
      this.table.element,
      this.version.element,
    );
    this.table.onstate = (state) => this.state(state);
    this.table.onfailure = (error) => (this.said.textContent = error);
    this.state(answer);
    requestAnimationFrame(() => this.table.show());
  }

  state({ said, more, loaded }) {
    this.said.textContent = said;
    this.load.hidden = !more;
    this.load.textContent = this.loading ? "Stop loading" : `Load the rest (${more.toLocaleString("en")})`;
    this.progress.hidden = !this.loading;
    this.progress.max = loaded + more;
    this.progress.value = loaded;
  }

  filter(words) {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.table.again({ words }), 150);
  }

  async rest() {
    this.loading = true;
    this.load.textContent = "Stop loading";
    while (this.loading) {
      const answer = await this.ask({ ask: "more" });
      if (answer.error || !answer.more) this.loading = false;
      await this.table.again();
      if (answer.error) this.said.textContent = answer.error;
    }
  }

  stop() {
    this.loading = false;
  }
}

const FIRST = { ask: "table", column: 0, descending: true, words: "", first: 0, length: 30 };

export default inPlace("odibi-history", FIRST, (ask, answer) => new Live(ask, answer).element);
