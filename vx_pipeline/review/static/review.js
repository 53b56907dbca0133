// Keys, search while typing, colours. Everything works without this file, too.
"use strict";

const THEMES = { "": "as the system", light: "light", dark: "dark" };

const theme = () => {
  try { return localStorage.getItem("vx-theme") ?? ""; } catch { return ""; }
};

const applyTheme = (name) => {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
};

// At once, before anything is painted.
applyTheme(theme());

const isTyping = (element) =>
  element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement ||
  (element instanceof HTMLInputElement && element.type !== "checkbox");

const setUpTheme = () => {
  const place = document.querySelector(".theme");
  if (!place) return;
  const told = place.querySelector("[data-theme-told]");
  told.textContent = THEMES[theme()] ?? THEMES[""];
  place.hidden = false;
  place.querySelector("[data-theme-switch]").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(theme()) + 1) % names.length];
    try { localStorage.setItem("vx-theme", next); } catch { /* then it lasts for this page */ }
    applyTheme(next);
    told.textContent = THEMES[next];
  });
};

const move = (step) => {
  const links = [...document.querySelectorAll("[data-list] a, [data-boxes] input[type=checkbox]")];
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
};

const press = (key) => {
  if (key === "j" && move(1)) return true;
  if (key === "k" && move(-1)) return true;
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (target) {
    if (target instanceof HTMLInputElement) target.focus();
    else target.click();
    return true;
  }
  const form = key === "Enter" && document.querySelector("form[data-confirm]");
  if (form) form.requestSubmit();
  return Boolean(form);
};

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key === "Enter") return;
  const focused = document.activeElement;
  if (isTyping(focused)) {
    if (event.key !== "Escape") return;
    // Leaving a field comes before leaving the page, where something was typed into it.
    focused.blur();
    if (focused instanceof HTMLSelectElement || focused.value !== focused.defaultValue) return;
  }
  const idle = focused === document.body || focused?.id === "main" || focused === null;
  if (event.key === "Enter" && !idle) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (press(key)) event.preventDefault();
};

// A second click must not send a form a second time.
const sendOnce = (form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
};

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const row = (hit) => {
  const who = element("span", "who");
  who.append(element("strong", "", hit.name), " ", element("span", "soft", hit.id));
  const link = element("a");
  link.href = hit.path;
  link.append(
    element("span", `system ${hit.system.toLowerCase()}`, hit.system), who, element("span", "soft", hit.about),
    element("span", "soft", hit.linked), element("span", "do", hit.action),
  );
  const item = element("li");
  item.append(link);
  return item;
};

const searchWhileTyping = (form) => {
  const input = form.querySelector("input[name=q]");
  const results = form.querySelector("[data-results]");
  const told = form.querySelector("[data-told]");
  let waiting = 0;
  let asked = new AbortController();
  const search = async () => {
    asked.abort();
    asked = new AbortController();
    const query = new URLSearchParams(new FormData(form));
    if (!input.value.trim()) {
      results.replaceChildren();
      told.textContent = "";
      return;
    }
    try {
      const answer = await fetch(`${form.dataset.search}?${query}`, { signal: asked.signal });
      if (!answer.ok || answer.redirected) return;
      const found = await answer.json();
      results.replaceChildren(...found.hits.map(row));
      told.textContent = found.told;
    } catch (error) {
      if (error.name !== "AbortError") told.textContent = "The search does not answer. Press Enter to try again.";
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });
};

const tickAll = (place) => {
  place.hidden = false;
  for (const button of place.querySelectorAll("[data-tick]")) {
    button.addEventListener("click", () => {
      for (const box of document.querySelectorAll("input[name=pair]")) box.checked = button.dataset.tick && !("left" in box.dataset);
    });
  }
};

// Without a script such a link brings the page anew with the boxes ticked.
const tickByLink = (link) => {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const place = link.closest("here" in link.dataset ? "[data-group]" : "form");
    for (const box of place.querySelectorAll("input[type=checkbox]")) box.checked = link.dataset.tick && !("left" in box.dataset);
  });
};

// What stands in a live region when the page comes is not read out; what comes after it is.
const sayMessage = () => {
  const message = document.querySelector(".message p");
  if (!message) return;
  const voice = element("p", "quiet");
  voice.setAttribute("aria-live", "polite");
  document.body.append(voice);
  setTimeout(() => { voice.textContent = message.textContent.trim().replace(/\s+/g, " "); }, 150);
};

document.addEventListener("DOMContentLoaded", () => {
  setUpTheme();
  // Without scrolling: what the decision causes stands above its button.
  document.querySelector("[data-focus]")?.focus({ preventScroll: true });
  document.querySelectorAll("form[method=post]").forEach(sendOnce);
  document.querySelectorAll("form[data-search]").forEach(searchWhileTyping);
  document.querySelectorAll("[data-tick-all]").forEach(tickAll);
  document.querySelectorAll("a[data-tick]").forEach(tickByLink);
  sayMessage();
  early.forEach(onKey);
  early.length = 0;
});

// Who knows the keys is quicker than the page: what is pressed while it comes is heeded when it is there.
const early = [];
document.addEventListener("keydown", (event) => {
  if (document.readyState === "loading") early.push(event);
  else onKey(event);
});
