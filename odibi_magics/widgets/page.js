// What all displays share that answer: elements, blocks, questions to Python, and their place on the page. Each of them
// stands behind this in one module. Whatever comes from Python becomes text of an element, never HTML.

const SILENCE = 5000; // milliseconds after which a kernel that was restarted is taken for gone

// Elements -----------------------------------------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // no clipboard without https, as on many servers
  }
}

function copiedByHand(text) {
  const field = element("textarea", { class: "odibi-copied" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

// A button that copies a text, and the word that it did.
function copier(text, about) {
  const told = element("span", { role: "status", class: "told" });
  const copy = async () => {
    told.textContent = (await copied(text)) ? "Copied" : "Select it and press Ctrl+C";
    setTimeout(() => (told.textContent = ""), 4000);
  };
  return [element("button", { type: "button", "aria-label": about, onclick: copy }, "Copy"), told];
}

// A command to paste, and the button that copies it.
function command(text) {
  return element("div", { class: "command" }, element("code", {}, text), ...copier(text));
}

// Blocks, as Python's displays are made of ---------------------------------------------------------------------------

const BLOCKS = {
  line: (block) => element("p", {}, element("b", { class: block.look }, block.strong), " ", block.text),
  table: (block) =>
    element(
      "div",
      {},
      block.title ? element("p", {}, element("b", {}, block.title)) : null,
      element("div", { class: "data", tabindex: 0 }, dataTable(block)),
      ...block.notes.map((note) => element("p", {}, note)),
    ),
  items: (block) =>
    element("div", {}, element("p", {}, element("b", { class: block.look }, block.title)), list(block.items)),
  texts: (block) => element("div", {}, ...block.entries.flatMap(([about, text]) => titled(about, text))),
  advice: ({ parts: [title, text, line, after], look }) =>
    element("div", {}, element("p", {}, element("b", { class: look }, title), " ", text), line ? command(line) : null, after),
};

function dataTable(block) {
  const side = (i) => (block.right[i] ? "right" : null);
  const head = block.columns.map((name, i) =>
    element("th", { class: side(i), scope: "col" }, name, block.types[i] ? element("small", {}, block.types[i]) : null),
  );
  const cell = ([text, hover, kind], i) =>
    element("td", { class: [side(i), kind].filter(Boolean).join(" "), title: hover || null }, text);
  const rows = block.rows.map((row) => element("tr", {}, ...row.map(cell)));
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}

function list(items) {
  const item = ([about, text, remedy]) =>
    element("li", {}, about ? element("b", {}, about, ": ") : null, text, remedy ? element("p", {}, "→ ", remedy) : null);
  return element("ul", {}, ...items.map(item));
}

function titled(about, text) {
  return [element("p", {}, element("b", {}, about)), element("pre", {}, text)];
}

function blocks(made) {
  return made.map((block) => BLOCKS[block.kind](block));
}

// Questions to Python ------------------------------------------------------------------------------------------------

// Gives a function that asks, and a promise of each answer; one that comes to another page is not ours.
function asker(model) {
  const waiting = new Map();
  const page = Math.random().toString(36).slice(2);
  let last = 0;
  model.on("msg:custom", (answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  return (question) =>
    new Promise((resolve) => {
      const id = `${page}-${++last}`;
      const gone = () => resolve({ error: "The kernel that knew this is gone: run the cell again" });
      waiting.set(id, resolve);
      try {
        Promise.resolve(model.send({ ...question, id })).catch(gone);
      } catch {
        gone();
      }
    });
}

function failure(text) {
  return element("pre", { class: "failed", role: "alert" }, text);
}

// In place of what is saved -----------------------------------------------------------------------------------------

// <tag data-model="…"> holds the still display, which is what is saved. Where the model is here, the live one stands in
// its place; a saved notebook, or a page that has no widgets, shows what is in it. first: the question that begins.
// make: an element of class odibi-live, from `ask` and the first answer.
function inPlace(tag, first, make) {
  // Models by their id, of all such displays on this page: each was loaded with a module of its own.
  const models = (globalThis[Symbol.for(tag)] ??= new Map());
  if (!customElements.get(tag)) {
    class Place extends HTMLElement {
      connectedCallback() {
        models.get(this.dataset.model)?.(this);
      }
    }
    customElements.define(tag, Place);
  }

  function initialize({ model }) {
    const ask = asker(model);
    const places = new Map();
    let id, begun;
    const open = async (place) => {
      if (places.has(place)) return;
      const gone = [...places].find(([other, live]) => live && !other.isConnected);
      if (gone) return move(gone, place);
      places.set(place, null);
      const answer = begun ?? (await ask(first));
      begun = null;
      if (answer.error) return places.delete(place);
      const live = make(ask, answer, model);
      live.addEventListener("focusin", (event) => (live.focused = event.target));
      live.addEventListener("focusout", (event) => event.relatedTarget && (live.focused = null));
      put(live, place);
    };
    // A display that was shown anew brings a new place: what is live goes there as it is.
    const move = ([other, live], place) => {
      const { focused } = live;
      places.delete(other);
      put(live, place);
      if (focused?.isConnected && document.activeElement === document.body) focused.focus({ preventScroll: true });
    };
    const put = (live, place) => {
      places.set(place, live);
      place.querySelector(":scope > .odibi-live")?.remove();
      place.append(live);
      place.setAttribute("live", "");
    };
    const leave = () => places.forEach((_, place) => place.removeAttribute("live"));
    // After a restart of its kernel nobody answers; after a broken connection somebody does.
    model.on("comm_live_update", async () => {
      const silence = setTimeout(leave, SILENCE);
      const answer = await ask(first);
      clearTimeout(silence);
      if (answer.error) leave();
      else places.forEach((live, place) => live && place.setAttribute("live", ""));
    });
    ask(first).then((answer) => {
      if (answer.error) return;
      id = answer.model;
      begun = answer;
      models.set(id, open);
      document.querySelectorAll(tag).forEach((place) => place.dataset.model === id && open(place));
    });
    return () => {
      models.delete(id);
      leave();
    };
  }

  async function render({ model, el }) {
    const ask = asker(model);
    const answer = await ask(first);
    el.append(answer.error ? failure(answer.error) : make(ask, answer, model));
  }

  return { initialize, render };
}

