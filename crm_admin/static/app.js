/* What pages cannot do by markup alone. Every page works without this file.
   Event names of htmx are in one table, so that a new major touches only this place. */
(() => {
  "use strict";

  const ON = {
    configure: "htmx:configRequest",
    beforeRequest: "htmx:beforeRequest",
    afterRequest: "htmx:afterRequest",
    beforeSwap: "htmx:beforeSwap",
    afterSettle: "htmx:afterSettle",
    confirm: "htmx:confirm",
    badAnswer: "htmx:responseError",
    noAnswer: "htmx:sendError",
    timeout: "htmx:timeout",
  };
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const listen = (name, act) => document.addEventListener(name, act);

  /* Speaking: one polite live region, and notices that repeat what the page shows. */

  function announce(text) {
    const region = byId("announce");
    if (region) region.textContent = text;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${root.dataset.icons}#i-${name}`);
    svg.append(use);
    return svg;
  }

  function button(label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm btn-quiet";
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  }

  const TONES = { success: ["is-ok", "check"], error: ["is-bad", "exclamation"], info: ["is-accent", "info"] };

  function toast({ level = "info", text = "", undo_url: undoUrl = "" }, extra = null) {
    const box = byId("toasts");
    if (!box || !text) return null;
    const [tone, mark] = TONES[level] || TONES.info;
    const note = document.createElement("div");
    note.className = `flash ${tone}`;
    const words = document.createElement("span");
    words.textContent = text;
    const end = document.createElement("span");
    end.className = "end";
    if (extra) end.append(extra);
    if (undoUrl && undoUrl.startsWith("/") && !undoUrl.startsWith("//")) end.append(button("Undo", () => post(undoUrl)));
    end.append(button("Close", () => note.remove()));
    note.append(icon(mark), words, end);
    box.append(note);
    announce(text);
    if (level !== "error") setTimeout(() => { if (!note.contains(document.activeElement)) note.remove(); }, 10000);
    return note;
  }

  function post(url) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = url;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "csrf_token";
    field.value = token();
    form.append(field);
    document.body.append(form);
    form.submit();
  }

  const token = () => document.querySelector('meta[name="csrf-token"]')?.content || "";

  listen("toast", (event) => toast(event.detail));
  listen("announce", (event) => announce(event.detail.value || String(event.detail)));
  listen(ON.configure, (event) => { event.detail.headers["X-CSRFToken"] = token(); });

  /* Polls rest while nobody looks. */

  const isPoll = (element) => /(^|,)\s*every /.test(element.getAttribute("hx-trigger") || "");

  listen(ON.beforeRequest, (event) => {
    const { elt, requestConfig } = event.detail;
    if (document.hidden && isPoll(elt) && !requestConfig?.triggeringEvent) event.preventDefault();
  });

  /* A poll names the version it shows, so that an unchanged part is not sent again. Any other swap
     may have replaced what is shown, and then nothing is known. */

  const shown = new Map();
  const place = (elt, path) => `${elt.id} ${path}`;

  listen(ON.configure, (event) => {
    const { elt, verb, path, headers } = event.detail;
    const tag = verb === "get" && elt.id && isPoll(elt) && shown.get(place(elt, path));
    if (tag) headers["If-None-Match"] = tag;
  });

  listen(ON.afterRequest, (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    if (!requestConfig || !xhr || xhr.status === 204) return;
    if (!elt.id || !isPoll(elt) || requestConfig.verb !== "get") { shown.clear(); return; }
    const tag = xhr.status === 200 && xhr.getResponseHeader("ETag");
    if (tag) shown.set(place(elt, requestConfig.path), tag);
    else shown.delete(place(elt, requestConfig.path));
  });

  /* A swap that takes the focused control away gives it back to its successor, else to the region's heading. */

  let focused = null;
  let region = null;

  listen(ON.beforeSwap, (event) => {
    const active = document.activeElement;
    const target = event.detail.target;
    focused = target && active && target.contains(active) ? active.id || "" : null;
    region = target ? target.id : null;
  });

  listen(ON.afterSettle, (event) => {
    openDialog(event.detail.target || event.target);
    sayProgress();
    const summary = document.querySelector("[data-focus]");
    if (summary) { summary.removeAttribute("data-focus"); summary.focus(); }
    if (focused === null || document.activeElement !== document.body) return;
    const successor = (focused && byId(focused)) || byId(region)?.querySelector("h1, h2, h3");
    focused = null;
    if (!successor) return;
    if (successor.tabIndex < 0) successor.tabIndex = -1;
    successor.focus({ preventScroll: true });
  });

  /* Progress is said at the quarters only. */

  const said = new Map();

  function sayProgress() {
    for (const bar of document.querySelectorAll("progress[data-say]")) {
      if (!bar.max || bar.position < 0) continue;
      const quarter = Math.floor(bar.position * 4) * 25;
      const before = said.get(bar.dataset.say);
      said.set(bar.dataset.say, quarter);
      if (before !== undefined && quarter > before) announce(`${bar.dataset.say}: ${quarter} %`);
    }
  }

  /* Dialogs: markup decides what is in them, this opens them and gives the focus back. */

  function openDialog(target) {
    const dialog = target?.id === "dialog" ? target.querySelector("dialog") : null;
    if (dialog && !dialog.open) show(dialog, () => { target.replaceChildren(); });
  }

  function show(dialog, closed = () => {}) {
    const opener = document.activeElement;
    dialog.addEventListener("close", () => { closed(); if (opener instanceof HTMLElement) opener.focus(); }, { once: true });
    dialog.showModal();
  }

  listen("click", (event) => {
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog")?.close();
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && byId(opener.dataset.dialog);
    if (dialog) { event.preventDefault(); show(dialog); }
  });

  listen(ON.confirm, (event) => {
    const question = event.detail.question;
    if (!question) return;
    event.preventDefault();
    const dialog = document.createElement("dialog");
    const words = document.createElement("div");
    words.className = "dialog-body";
    words.textContent = question;
    const foot = document.createElement("div");
    foot.className = "dialog-foot";
    const cancel = button("Cancel", () => dialog.close());
    const go = button(event.detail.elt.dataset.verb || "Go on", () => { dialog.close(); event.detail.issueRequest(true); });
    go.className = "btn btn-primary";
    foot.append(cancel, go);
    dialog.append(words, foot);
    document.body.append(dialog);
    show(dialog, () => dialog.remove());
    cancel.focus();
  });

  /* Failures are visible, in one place. */

  let offline = null;

  function failed(event) {
    const { xhr, elt } = event.detail;
    const again = elt?.isConnected && !isPoll(elt)
      ? button("Try again", () => window.htmx?.trigger(elt, elt.tagName === "FORM" ? "submit" : "click"))
      : null;
    toast({ level: "error", text: sentence(xhr) }, again);
  }

  function sentence(xhr) {
    const id = xhr.getResponseHeader("X-Request-Id");
    const tail = id ? ` Request ${id}.` : "";
    if (xhr.status === 403) return "Your role may not do this.";
    if (xhr.status === 404) return "This is not here any more. Load the page again.";
    if (xhr.status === 429) return `Too many tries. Wait ${xhr.getResponseHeader("Retry-After") || "60"} seconds.`;
    return `Something broke on our side and nothing was saved.${tail}`;
  }

  listen(ON.badAnswer, failed);

  for (const name of [ON.noAnswer, ON.timeout]) {
    listen(name, () => {
      if (offline?.isConnected) return;
      const since = new Date().toTimeString().slice(0, 5);
      offline = toast({ level: "error", text: `CRM Admin does not answer. You see what was true at ${since}.` });
    });
  }

  listen(ON.afterSettle, () => { offline?.remove(); offline = null; });

  /* Copying. */

  listen("click", async (event) => {
    const source = event.target.closest("[data-copy]");
    if (!source) return;
    try {
      await navigator.clipboard.writeText(source.dataset.copy);
      toast({ level: "success", text: "Copied." });
    } catch {
      toast({ level: "error", text: "The browser did not allow copying. Select the text instead." });
    }
  });

  /* A select that only filters sends its form at once; its button stays for everyone else. */

  listen("change", (event) => {
    const form = event.target.closest("form[data-auto]");
    if (form && event.target.matches("select")) form.requestSubmit();
  });

  /* A button for ticked rows says how many they are. */

  listen("change", (event) => {
    const form = event.target.matches("input[type=checkbox][name]") && event.target.form;
    for (const button of form ? form.querySelectorAll(`[data-counts="${CSS.escape(event.target.name)}"]`) : []) {
      const ticked = form.querySelectorAll(`input[name="${CSS.escape(event.target.name)}"]:checked`).length;
      button.querySelector("[data-count]").textContent = ticked ? ` (${ticked})` : "";
    }
  });

  /* Empty filters stay out of addresses. */

  listen("submit", (event) => {
    const form = event.target;
    if (form.method !== "get") return;
    for (const field of form.querySelectorAll("input[name], select[name]")) {
      if (!field.value) field.disabled = true;
    }
  });
  window.addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll('form[method="get"] :disabled')) field.disabled = false;
  });

  /* Keys. Single letters rest inside controls and can be turned off. */

  const rows = () => [...document.querySelectorAll("main tbody > tr > th a, main .op-head h3 a, main .rows h3 a")];

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))].focus();
  }

  let going = 0;

  const isSeen = (element) => element.getClientRects().length > 0 && !element.closest("[inert]");

  /* Markup names its own key: data-key on a link, a button, a summary or a control. */
  function pressed(key) {
    const found = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isSeen);
    if (!found || found.disabled) return false;
    found.focus();
    if (found.matches("a, button, summary, input[type=radio], input[type=checkbox]")) found.click();
    return true;
  }

  function find() {
    const field = byId("find");
    if (field && isSeen(field)) { field.focus(); field.select(); }
    else document.querySelector("a.find-link")?.click();
  }

  function press(event) {
    if (going && Date.now() - going < 1500) {
      going = 0;
      const link = document.querySelector(`.side a[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const acts = {
      g: () => { going = Date.now(); },
      j: () => move(1),
      k: () => move(-1),
      a: () => document.querySelector("main .btn-primary")?.focus(),
      x: () => document.activeElement.closest("tr, li")?.querySelector("input[type=checkbox]")?.click(),
      "?": () => { const keys = byId("keys"); if (keys && !keys.open) show(keys); },
      "/": find,
    };
    if (pressed(event.key)) { event.preventDefault(); return; }
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  listen("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || root.dataset.keys === "off") return;
    press(event);
  });

  listen("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    find();
  });

  /* What was found is walked with the arrows; Escape puts it away. */

  listen("keydown", (event) => {
    const box = event.target.closest?.("form.find");
    if (!box || !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") { byId("found")?.replaceChildren(); byId("find").focus(); return; }
    const all = [byId("find"), ...box.querySelectorAll(".found a")];
    const at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    all[Math.max(0, Math.min(all.length - 1, at))].focus();
  });

  listen("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(".menu > details[open], details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.querySelector("[data-focus]")?.focus();
  sayProgress();
})();
