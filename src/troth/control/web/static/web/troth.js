/* Troth's own script: it only adds. Every page works without it; what it offers is listed in docs/pages.md. */
"use strict";
(() => {
  const KEYS = "troth-keys"; // localStorage: "off" when single keys are not wanted (WCAG 2.1.4)
  const HALF_SECOND = 500, GO_TIME = 1500, TOAST_TIME = 5000, SENT_TIME = 20000;
  const find = (what, from = document) => from.querySelector(what);
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const shown = (one) => Boolean(one) && one.getClientRects().length > 0;

  /* words for those who listen, and a toast for those who look */
  function say(text) {
    const place = find("#toasts");
    if (!place) return;
    const one = document.createElement("p");
    one.className = "toast";
    one.textContent = text;
    place.replaceChildren(one);
    setTimeout(() => one.remove(), TOAST_TIME);
  }

  /* copy: data-copy holds the text, or "#id" of the element whose text it is */
  async function copy(button) {
    const given = button.dataset.copy;
    const source = given.startsWith("#") ? find(given) : null;
    const text = source ? source.value ?? source.textContent : given;
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied: ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`);
    } catch {
      if (source) getSelection().selectAllChildren(source);
      say("This browser did not allow copying. Select the text and copy it by hand.");
    }
  }

  /* an act that asks first: the form of <details class="ask"> becomes a dialog, and goes back when that closes */
  function asking(details) {
    if (find("dialog[open]")) return;
    const form = find(".asked", details);
    const dialog = document.createElement("dialog");
    const title = find("h2", form);
    title.id ||= `ask-${all("details.ask").indexOf(details)}`;
    dialog.className = "dialog";
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.append(form);
    document.body.append(dialog);
    details.open = false;
    dialog.addEventListener("close", () => {
      details.append(form);
      dialog.remove();
      find("summary", details).focus();
    });
    dialog.showModal();
    // what is to be typed, or else the way out: Enter by habit does nothing that cannot be taken back
    find("[aria-invalid=true], textarea, input:not([type=hidden]), select, [data-close]", form)?.focus();
  }

  function press(letter) {
    const what = all(`main [data-key="${letter}"]`).find(shown);
    if (!what) return false;
    if (what.matches("details.ask")) asking(what);
    else what.click();
    return true;
  }

  /* the keyboard */
  const on = () => {
    try { return localStorage.getItem(KEYS) !== "off"; } catch { return true; }
  };
  const typing = (where) => Boolean(where.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));
  let going = 0;

  function rows() {
    const links = "a[href], button[type=submit], summary";
    return all("main tbody tr, main .agenda > li, main [data-rows] > li").map((row) => find(links, row)).filter(shown);
  }

  function step(by) {
    const there = rows();
    const here = document.activeElement.closest?.("tr, li");
    const now = there.findIndex((one) => here && here.contains(one));
    there[Math.min(Math.max(now + by, 0), there.length - 1)]?.focus();
    return there.length > 0;
  }

  function search() {
    const field = [find("#rail-q"), ...all("main [type=search]")].find(shown);
    field?.focus();
    field?.select();
    return Boolean(field);
  }

  function go(letter) {
    const link = all("a[data-go]").find((one) => one.dataset.go === letter);
    link?.click();
    return Boolean(link);
  }

  function help() {
    const dialog = find("#keyboard");
    if (!dialog || find("dialog[open]")) return false;
    const places = all("a[data-go]").map((one) => `${one.dataset.go.toUpperCase()} ${one.dataset.name}`);
    find("[data-places]", dialog).textContent = places.join(" · ");
    find("[data-single]", dialog).checked = on();
    dialog.showModal();
    return true;
  }

  const DOES = {
    "/": search, "?": help, j: () => step(1), k: () => step(-1),
    a: () => press("a"), r: () => press("r"), p: () => press("p"),
    g: () => { going = Date.now(); return true; },
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return void all("details.menu[open]").forEach((one) => { one.open = false; });
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!on() || typing(event.target) || find("dialog[open]")) return;
    const letter = event.key.toLowerCase();
    const gone = Date.now() - going < GO_TIME;
    going = 0;
    const did = gone ? go(letter) : DOES[letter]?.();
    if (did) event.preventDefault();
  });

  /* clicks */
  document.addEventListener("click", (event) => {
    const one = event.target.closest?.("[data-copy], [data-close], [data-help], details.ask > summary");
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (!one) return;
    if (one.matches("[data-copy]")) copy(one);
    else if (one.matches("[data-close]")) one.closest("dialog")?.close();
    else if (one.matches("[data-help]")) help();
    else {
      event.preventDefault();
      asking(one.parentElement);
    }
  });

  /* lengths of time that run: data-clock is "left" or anything else, data-at the moment, data-now the server's time */
  const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, ""]];

  function span(seconds) {
    for (const [size, unit, smaller, minor] of UNITS) {
      if (seconds < size) continue;
      const rest = Math.floor((seconds % size) / smaller);
      return `${Math.floor(seconds / size)}\u00a0${unit}${rest && minor ? ` ${rest}\u00a0${minor}` : ""}`;
    }
    return `${Math.floor(seconds)}\u00a0s`;
  }

  function tick() {
    for (const one of all("[data-clock]")) {
      one.began ??= performance.now();
      const now = Date.parse(one.dataset.now) + performance.now() - one.began;
      const way = one.dataset.clock, gap = (Date.parse(one.dataset.at) - now) / 1000;
      const text = way === "left" && gap <= 0 ? "its time is over" : `${span(Math.abs(gap))} ${way}`;
      if (one.textContent !== text) one.textContent = text;
    }
  }

  /* forms: sent once; what is typed and not saved is not lost without a question */
  let leaving = false;
  const dirty = new WeakSet();
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-unsaved]")) dirty.add(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || event.submitter?.formTarget) return; // into a frame: again and again
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    leaving = true;
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(() => ready(form), SENT_TIME);
  });
  /* data-live on a button that answers into a frame: a pause of the typing presses it */
  let pause = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.form, button = form && find("[data-live]", form);
    clearTimeout(pause);
    if (button) pause = setTimeout(() => form.requestSubmit(button), HALF_SECOND);
  });
  all("[data-live]").forEach((button) => button.form.requestSubmit(button));
  function ready(form) {
    delete form.dataset.sent;
    all("[aria-busy]", form).forEach((one) => one.removeAttribute("aria-busy"));
    leaving = false;
  }
  addEventListener("beforeunload", (event) => {
    if (!leaving && all("form[data-unsaved]").some((form) => dirty.has(form))) event.preventDefault();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) all("form[data-sent]").forEach(ready);
  });

  /* htmx: who was sent elsewhere (to sign in) goes there whole; what came is announced */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, pathInfo } = event.detail;
    const there = new URL(xhr.responseURL || location.href);
    if (there.pathname === new URL(pathInfo.requestPath, location.href).pathname) return;
    event.detail.shouldSwap = false;
    location.assign(there);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const words = find("[data-say]", event.detail.elt.parentElement ?? document);
    if (words) say(words.textContent);
    dress();
  });
  for (const wrong of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(wrong, () => say("The page could not be read just now. What is shown is from before."));
  }

  /* what makes sense only with script is hidden in the page and comes out here */
  function dress() {
    all("[data-copy][hidden], [data-help][hidden]").forEach((one) => { one.hidden = false; });
    all(".asked [data-close][hidden]").forEach((one) => { one.hidden = false; });
    tick();
  }

  function begin() {
    dress();
    find("#keyboard [data-single]")?.addEventListener("change", (event) => {
      try { localStorage.setItem(KEYS, event.target.checked ? "on" : "off"); } catch { say("This browser keeps nothing; the keys stay on."); }
    });
    find("details.ask[open]") && asking(find("details.ask[open]"));
    setInterval(tick, HALF_SECOND * 2);
  }
  begin();
})();
