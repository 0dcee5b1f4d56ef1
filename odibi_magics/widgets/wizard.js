// The page's half of the setup wizard, behind page.js. Python says what each step shows; the page makes elements of it, and
// sends what is typed and clicked. What did not change is left alone, so that nobody loses the place where they type.

// Elements by their section's id, each with what it was made of.
class Sections {
  constructor(make) {
    this.make = make;
    this.made = new Map();
    this.element = element("div", { class: "sections" });
  }

  show(sections) {
    const kept = new Map();
    for (const section of sections) {
      const key = `${section.kind} ${section.id}`;
      const text = JSON.stringify(section);
      const before = this.made.get(key);
      if (before?.text === text) {
        kept.set(key, before);
        continue;
      }
      kept.set(key, { text, element: this.make(section, before?.element) });
    }
    this.made = kept;
    const wanted = [...kept.values()].map((each) => each.element);
    for (const old of [...this.element.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((each, i) => this.element.children[i] !== each && this.element.insertBefore(each, this.element.children[i] ?? null));
  }
}

// Where the cursor goes once something was done.
const FOCUSED = { go: '[aria-invalid="true"]', add: "fieldset:last-of-type input", remove: '[data-at="add "]' };

class Wizard {
  constructor(ask, answer, model) {
    this.ask = ask;
    this.names = `odibi-${Math.random().toString(36).slice(2)}`;
    this.last = 0;
    this.sections = new Sections((section, before) => this.keeping(before, MAKE[section.kind](this, section)));
    this.title = element("h3", { tabindex: -1, id: `${this.names}-title` });
    this.lead = element("p", { class: "lead" });
    this.steps = element("ol", { class: "steps", "aria-label": "Steps" });
    this.said = element("p", { role: "status", "aria-live": "polite", class: "said" });
    this.ways = element("div", { class: "ways" });
    const form = element(
      "form",
      { autocomplete: "off", "aria-labelledby": `${this.names}-title`, onsubmit: (event) => this.submit(event) },
      this.title, this.lead, this.sections.element, this.said, this.ways,
    );
    // Notebooks read single keys as commands, deleting the cell among them.
    this.element = element(
      "section",
      {
        class: "odibi-live odibi-setup", "aria-label": "Setup wizard", "data-lm-suppress-shortcuts": "true",
        onkeydown: (event) => event.stopPropagation(),
      },
      element("nav", { "aria-label": "Steps of the setup wizard" }, this.steps),
      form,
    );
    model.on("msg:custom", (told) => told.view && this.show(told.view));
    this.show(answer.view);
  }

  // A section made anew where the cursor was in the old one: the field of the same name gets it, and what was typed.
  keeping(before, made) {
    const active = before?.contains(document.activeElement) ? document.activeElement : null;
    if (!active?.dataset.at) return made;
    const typed = active.tagName === "INPUT" && active.value !== active.defaultValue ? active.value : null;
    const range = active.tagName === "INPUT" ? [active.selectionStart, active.selectionEnd] : null;
    queueMicrotask(() => {
      const again = made.querySelector(`[data-at="${CSS.escape(active.dataset.at)}"]`);
      if (!again) return;
      if (typed !== null && !active.dataset.sent) again.value = typed;
      again.focus({ preventScroll: true });
      if (range) again.setSelectionRange(...range);
    });
    return made;
  }

  show(view) {
    const moved = this.view && this.view.step !== view.step;
    this.view = view;
    this.title.textContent = view.title;
    this.lead.textContent = view.lead;
    this.steps.replaceChildren(...view.steps.map((step, i) => this.step(step, i + 1)));
    this.sections.show(view.sections);
    if (this.said.textContent !== view.said) this.said.textContent = view.said;
    const ways = [view.back && this.button(view.back), view.next && this.button({ ...view.next, type: "submit" })];
    const text = JSON.stringify([view.back, view.next]);
    if (this.waysText !== text) this.ways.replaceChildren(...ways.filter(Boolean));
    this.waysText = text;
    if (moved) this.title.focus({ preventScroll: true });
  }

  step(step, number) {
    const sign = step.state === "done" ? "✓" : String(number);
    const about = { now: "", done: ", done", ahead: "" }[step.state];
    const text = [element("span", { class: "number", "aria-hidden": "true" }, sign), step.title];
    const properties = { type: "button", "aria-current": step.state === "now" ? "step" : null, "aria-label": `${step.title}${about}`, "data-at": `step ${number}` };
    const button = element("button", { ...properties, onclick: () => this.send(step.ask) }, ...text);
    return element("li", { class: step.state }, button);
  }

  // One that does nothing for now keeps the cursor, which a disabled one would lose.
  button({ label, about, ask, type, resting }) {
    return element("button", {
      type: type ?? "button", class: type ? "main" : null, "aria-label": about ?? null, "aria-disabled": resting ? "true" : null,
      "data-at": `${ask.ask} ${ask.of ?? ask.name ?? ""}`, onclick: () => type || resting || this.send(ask),
    }, label);
  }

  actions(actions) {
    return actions.length ? element("div", { class: "actions" }, ...actions.map((each) => this.button(each))) : null;
  }

  submit(event) {
    event.preventDefault();
    if (document.activeElement?.matches("input")) document.activeElement.blur(); // sends what was typed there
    if (this.view.next) this.send(this.view.next.ask);
  }

  async send(question) {
    const answer = await this.ask(question);
    if (answer.error) this.said.textContent = answer.error;
    if (answer.view) this.show(answer.view);
    const focused = FOCUSED[question.ask];
    if (focused) this.sections.element.querySelector(focused)?.focus();
  }

  id() {
    return `${this.names}-${++this.last}`;
  }

  field(of, field) {
    const id = this.id();
    const notes = [
      element("span", { class: "help", id: `${id}-help` }, field.help),
      field.said ? element("span", { class: "said", id: `${id}-said` }, field.said) : null,
      field.wrong ? element("span", { class: "failed", id: `${id}-wrong` }, `✗ ${field.wrong}`) : null,
    ].filter(Boolean);
    const properties = {
      id, "data-at": `${of} ${field.key}`, "aria-describedby": notes.map((note) => note.id).join(" "), "aria-required": field.needed ? "true" : null,
      "aria-invalid": field.wrong ? "true" : null,
    };
    const input = field.kind === "choice" ? this.choice(field, properties) : this.text(field, properties);
    input.addEventListener("change", () => {
      input.dataset.sent = "yes";
      this.send({ ask: "set", of, key: field.key, text: input.value });
    });
    input.addEventListener("input", () => delete input.dataset.sent);
    const label = element("label", { for: id }, field.label, field.needed ? element("span", { class: "needed" }, " (needed)") : null);
    return element("div", { class: field.wrong ? "field wrong" : "field" }, label, element("div", { class: "asked" }, input, this.offered(id, field), ...notes));
  }

  choice(field, properties) {
    const options = field.choices.map(([value, text]) => element("option", { value, selected: value === field.value }, text));
    return element("select", properties, ...options);
  }

  text(field, properties) {
    return element("input", { ...properties, type: "text", value: field.value, list: field.names.length ? `${properties.id}-names` : null, spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  }

  offered(id, field) {
    return field.names.length ? element("datalist", { id: `${id}-names` }, ...field.names.map((value) => element("option", { value }))) : null;
  }
}

const MAKE = {
  form: (wizard, { id, legend, origin, notes, wrong, fields, actions }) =>
    element(
      "fieldset",
      {},
      element("legend", {}, element("b", {}, legend), origin ? ` ${origin}` : null),
      ...notes.map((note) => element("p", { class: "note" }, note)),
      wrong ? element("p", { class: "failed" }, `✗ ${wrong}`) : null,
      ...fields.map((field) => wizard.field(id, field)),
      wizard.actions(actions),
    ),
  told: (wizard, { look, sign, text, blocks: made, actions }) =>
    element("div", { class: "note" }, element("p", {}, element("b", { class: look }, sign), " ", text), ...blocks(made), wizard.actions(actions)),
  actions: (wizard, { actions }) => wizard.actions(actions) ?? element("div", { hidden: true }),
  row: (wizard, row) =>
    element(
      "article",
      { class: "check", "aria-label": `${row.name}: ${row.word}` },
      element(
        "div",
        { class: "line" },
        element("b", { class: `state ${row.look}` }, `${row.sign} ${row.word}`),
        element("b", { class: "name" }, row.name),
        element("span", { class: "time" }, row.time),
        element("span", { class: "place" }, row.place),
        wizard.actions(row.actions),
      ),
      row.said ? element("p", { class: row.look }, row.said) : null,
      ...blocks(row.blocks),
      row.layers.length ? element("details", {}, element("summary", {}, `Layers of ${row.name}`), ...blocks(row.layers)) : null,
    ),
  yaml: (wizard, { label, text }) => {
    const id = wizard.id();
    return element("div", { class: "yaml" }, element("div", { class: "line" }, element("b", { id }, label), ...copier(text, "Copy the YAML")), element("pre", { tabindex: 0, role: "region", "aria-labelledby": id }, text));
  },
  use: (wizard, { done, actions, cell }) =>
    element(
      "div",
      { class: "use" },
      element("div", { class: "line" }, wizard.actions(actions), element("b", { class: "done" }, done)),
      element("div", { class: "line" }, element("span", {}, "Into the next cell:"), command(cell)),
    ),
  file: (wizard, { value, said, failed }) => {
    const id = wizard.id();
    const input = element("input", { id, type: "text", value, spellcheck: "false", "data-at": "file", "aria-describedby": `${id}-said`, "aria-invalid": failed ? "true" : null });
    const write = () => wizard.send({ ask: "write", name: input.value });
    input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), write()));
    return element(
      "div",
      { class: "line" },
      element("label", { for: id }, "Write a new file"),
      input,
      element("button", { type: "button", "data-at": "write", onclick: write }, "Write"),
      element("span", { id: `${id}-said`, class: failed ? "failed" : "done" }, said ? `${failed ? "✗" : "✓"} ${said}` : ""),
    );
  },
};

export default inPlace("odibi-setup", { ask: "view" }, (ask, answer, model) => new Wizard(ask, answer, model).element);
