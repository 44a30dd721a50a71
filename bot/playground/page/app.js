// The page of the local Slack: shows what the server has drawn, sends what a person does.

const $ = (selector, within = document) => within.querySelector(selector);
const sameAuthorSeconds = 300;

const page = {
  state: { channels: [], users: [], bot: {}, prompts: [], shortcuts: [], home: { html: "" } },
  messages: new Map(), // "channel ts" -> message
  statuses: new Map(), // "channel thread" -> words
  user: sessionStorage.getItem("user") || "",
  channel: "",
  thread: "",
  unread: new Set(),
  drafts: new Map(),
  atHome: false, // whether the direct message shows the app's Home
  opensNextRoot: "", // the channel in which a command was given: the bot's question opens there
};

// ---- talking to the server

let events;

function connect() {
  events?.close();
  events = new EventSource(`/page/events?user=${encodeURIComponent(page.user)}`);
  events.addEventListener("open", () => { $("#connection").hidden = true; });
  events.addEventListener("error", () => {
    $("#connection").hidden = false;
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
  });
  events.addEventListener("state", (event) => showState(JSON.parse(event.data)));
  events.addEventListener("message", (event) => showMessage(JSON.parse(event.data)));
  events.addEventListener("statuses", (event) => {
    setStatuses(JSON.parse(event.data));
    showTyping();
  });
  events.addEventListener("prompts", (event) => {
    page.state.prompts = JSON.parse(event.data);
    showPrompts();
  });
  events.addEventListener("home", (event) => {
    page.state.home = JSON.parse(event.data);
    showHome();
  });
}

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: page.user, ...body }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  } catch (error) {
    complain(error instanceof TypeError ? "The local Slack does not answer." : error.message);
    return null;
  }
}

let complaint;

function complain(words) {
  const alert = $("#alert");
  alert.textContent = words;
  alert.hidden = false;
  clearTimeout(complaint);
  complaint = setTimeout(() => { alert.hidden = true; }, 6000);
}

// ---- state

const key = (channel, ts) => `${channel} ${ts}`;
const isRoot = (message) => !message.thread || message.thread === message.ts;
const current = () => page.state.channels.find((channel) => channel.id === page.channel);

function showState(state) {
  page.state = state;
  page.user = state.viewer;
  page.messages = new Map(state.messages.map((message) => [key(message.channel, message.ts), message]));
  setStatuses(state.statuses);
  if (!current()) page.channel = (channelOfAddress() || state.channels[0])?.id ?? "";
  document.title = `${state.bot.name} · ${state.workspace}`;
  $("#workspace").textContent = state.workspace;
  for (const composer of document.querySelectorAll(".composer")) composer.setUp();
  showPeople();
  showChannels();
  if (page.thread && !page.messages.has(key(page.channel, page.thread))) page.thread = "";
  show();
}

function setStatuses(statuses) {
  page.statuses = new Map(statuses.map((one) => [key(one.channel, one.thread), one.text]));
}

function channelOfAddress() {
  const [channel, thread = ""] = decodeURIComponent(location.hash.slice(1)).split("/");
  const found = page.state.channels.find((one) => one.name === channel || one.id === channel);
  if (found) page.thread = thread;
  return found;
}

function showMessage(message) {
  const id = key(message.channel, message.ts);
  const isNew = !page.messages.has(id);
  if (message.gone) page.messages.delete(id);
  else page.messages.set(id, message);
  if (message.channel !== page.channel) {
    if (isNew && !message.gone) markUnread(message.channel);
    return;
  }
  if (page.opensNextRoot === message.channel && isNew && isRoot(message) && message.app && !message.ephemeral) {
    page.opensNextRoot = "";
    openThread(message.ts);
    return;
  }
  showMessages();
  showTyping();
}

function markUnread(channel) {
  page.unread.add(channel);
  showChannels();
}

// ---- drawing

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function showPeople() {
  const people = page.state.users.map((user) => {
    const input = element("input", {
      type: "radio", name: "user", value: user.id, checked: user.id === page.user,
    });
    input.addEventListener("change", () => becomes(user.id));
    const note = user.guest ? element("span", { className: "guest", textContent: "guest" }) : "";
    return element("label", {}, input, element("span", { textContent: user.name }), note);
  });
  if (!$("#people").contains(document.activeElement)) $("#people").replaceChildren(...people);
}

function becomes(user) {
  page.user = user;
  sessionStorage.setItem("user", user);
  const direct = current()?.kind === "direct";
  if (direct) page.thread = "";
  page.wantsDirect = direct;
  connect();
}

function showChannels() {
  const rows = page.state.channels.map((channel) => {
    const button = element("button", { type: "button", className: "channel" },
      element("span", { className: "sign", textContent: channel.sign, ariaHidden: "true" }),
      element("span", { textContent: channel.name }));
    button.dataset.channel = channel.id;
    if (channel.kind === "direct") button.append(element("span", { className: "badge", textContent: "APP" }));
    if (channel.id === page.channel) button.setAttribute("aria-current", "page");
    button.classList.toggle("unread", page.unread.has(channel.id));
    button.addEventListener("click", () => goTo(channel.id));
    return element("li", {}, button);
  });
  const focused = document.activeElement?.dataset?.channel;
  $("#channels").replaceChildren(...rows);
  if (focused) $(`#channels [data-channel="${focused}"]`)?.focus();
}

function goTo(channel, thread = "") {
  page.atHome = false;
  page.channel = channel;
  page.thread = thread;
  page.unread.delete(channel);
  $("#app").classList.remove("with-menu");
  $("#menu").setAttribute("aria-expanded", "false");
  showChannels();
  show();
  if (current()?.kind === "direct") post("/page/open", { channel });
  if (matchMedia("(min-width: 46rem)").matches) $("#channel-pane textarea").focus();
}

function show() {
  if (page.wantsDirect) {
    page.wantsDirect = false;
    const direct = page.state.channels.find((channel) => channel.kind === "direct");
    if (direct) { goTo(direct.id); return; }
  }
  const channel = current();
  if (!channel) return;
  $("#channel-name").textContent = `${channel.sign} ${channel.name}`;
  $("#channel-note").textContent = channel.note;
  $("#thread-note").textContent = `${channel.sign} ${channel.name}`;
  $("#thread-pane").hidden = !page.thread;
  $("#app").classList.toggle("with-thread", Boolean(page.thread));
  const address = page.thread ? `${channel.name}/${page.thread}` : channel.name;
  history.replaceState(null, "", `#${address}`);
  $("#channel-pane .composer").turnTo(`Message ${channel.sign === "#" ? "#" : ""}${channel.name}`, key(channel.id, ""));
  if (page.thread) $("#thread-pane .composer").turnTo("Reply…", key(channel.id, page.thread));
  showHome();
  showIntro(channel);
  showMessages();
  showPrompts();
  showTyping();
}

function showHome() {
  const direct = current()?.kind === "direct";
  const atHome = direct && page.atHome;
  $("#tabs").hidden = !direct;
  $("#tabs").setAttribute("aria-label", page.state.bot.name);
  $("#tab-home").setAttribute("aria-selected", String(atHome));
  $("#tab-messages").setAttribute("aria-selected", String(!atHome));
  $("#channel-pane").classList.toggle("at-home", atHome);
  $("#home").hidden = !atHome;
  const drawn = document.createElement("template");
  drawn.innerHTML = page.state.home.html || "<p>Nothing is shown here yet.</p>"; // drawn and sanitised by the server
  $("#home").replaceChildren(drawn.content);
}

function turnTo(home) {
  page.atHome = home;
  if (home) post("/page/home", {});
  show();
}

$("#tab-home").addEventListener("click", () => turnTo(true));
$("#tab-messages").addEventListener("click", () => turnTo(false));

function showIntro(channel) {
  const bot = page.state.bot.name;
  const words = channel.kind === "direct"
    ? `This is your direct message with ${bot}. Whatever you write starts a thread of its own.`
    : channel.bot
      ? `Write @${bot.toLowerCase()} and a question, or /ask and a question. The answer comes in a thread. `
        + "Type /digest 7d to have the channel summed up."
      : `${bot} is not in this channel, so a mention does not reach it.`;
  $("#intro").replaceChildren(
    element("strong", { textContent: `${channel.sign} ${channel.name}` }),
    element("p", { textContent: words }));
  $("#intro").hidden = false;
}

function showMessages() {
  const all = [...page.messages.values()]
    .filter((message) => message.channel === page.channel)
    .sort((one, other) => (one.ts < other.ts ? -1 : 1));
  fill($("#channel-pane"), all.filter(isRoot), all);
  if (page.thread) {
    fill($("#thread-pane"), all.filter((one) => one.ts === page.thread || one.thread === page.thread), null);
  }
}

function fill(pane, messages, all) {
  const list = $(".messages", pane);
  const scroller = $(".scroller", pane);
  const follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  const changed = list.dataset.shows !== `${page.channel} ${all ? "" : page.thread}`;
  list.dataset.shows = `${page.channel} ${all ? "" : page.thread}`;
  const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let before = null;
  messages.forEach((message, at) => {
    const id = key(message.channel, message.ts);
    const row = rows.get(id) || newRow(id);
    rows.delete(id);
    if (row.drawn !== message.html) draw(row, message);
    row.classList.toggle("compact", followsOn(message, before));
    if (all) showReplies(row, message, all);
    showDay(row, message, before);
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] || null);
    before = message;
  });
  for (const row of rows.values()) row.remove();
  if (follows || changed) scroller.scrollTop = scroller.scrollHeight;
}

function newRow(id) {
  const row = element("li", { className: "row" });
  row.dataset.key = id;
  return row;
}

function followsOn(message, before) {
  return Boolean(before) && before.author === message.author && !message.ephemeral && !before.ephemeral
    && Number(message.ts) - Number(before.ts) < sameAuthorSeconds && !isRoot(message);
}

function showDay(row, message, before) {
  if (before && day(before) === day(message)) delete row.dataset.day;
  else row.dataset.day = day(message);
}

function day(message) {
  const options = { weekday: "long", day: "numeric", month: "long" };
  return new Date(Number(message.ts) * 1000).toLocaleDateString("en-GB", options);
}

function draw(row, message) {
  const holder = document.createElement("template");
  holder.innerHTML = message.html; // drawn and sanitised by the server; the page's policy runs no script in it
  const fresh = holder.content.firstElementChild;
  const old = $(":scope > .message", row);
  if (old) morph(old, fresh);
  else row.prepend(fresh);
  row.drawn = message.html;
}

// Change what differs and nothing else, so that focus, selection and what was folded stay.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.dataset?.key !== fresh.dataset?.key) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  morphAttributes(old, fresh);
  const theirs = [...fresh.childNodes];
  const ours = [...old.childNodes];
  theirs.forEach((child, at) => (ours[at] ? morph(ours[at], child) : old.append(child)));
  ours.slice(theirs.length).forEach((child) => child.remove());
}

function morphAttributes(old, fresh) {
  const folds = old.nodeName === "DETAILS";
  for (const { name, value } of [...fresh.attributes]) {
    if (!(folds && name === "open") && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(folds && name === "open") && name !== "aria-pressed") old.removeAttribute(name);
  }
}

function showReplies(row, message, all) {
  const replies = all.filter((one) => one.thread === message.ts && one.ts !== message.ts && !one.ephemeral);
  let button = $(".replies", row);
  if (!button) {
    button = element("button", { type: "button", className: "replies" });
    button.addEventListener("click", () => openThread(message.ts));
    row.append(button);
  }
  const words = replies.length ? `${replies.length} ${replies.length === 1 ? "reply" : "replies"}` : "Reply in thread";
  if (button.textContent !== words) button.textContent = words;
  button.classList.toggle("none", !replies.length);
  const over = menuOf(row, message);
  const holder = replies.length ? row : over;
  if (button.parentElement !== holder) holder.append(button);
  button.hidden = message.ephemeral;
  row.classList.toggle("open", page.thread === message.ts);
}

// What stands over a message while one points at it: the bot's shortcuts.
function menuOf(row, message) {
  let menu = $(":scope > .over", row);
  if (menu) return menu;
  menu = element("div", { className: "over" });
  for (const shortcut of page.state.shortcuts) {
    const button = element("button", { type: "button", className: "shortcut", textContent: shortcut.title });
    button.addEventListener("click", () => post("/page/shortcut", { channel: message.channel, ts: message.ts, callback_id: shortcut.id }));
    menu.append(button);
  }
  menu.hidden = message.ephemeral;
  row.append(menu);
  return menu;
}

function openThread(ts) {
  page.thread = ts;
  show();
  $("#thread-pane textarea").focus();
}

function showTyping() {
  const bot = page.state.bot.name;
  for (const [pane, thread] of [["#channel-pane", ""], ["#thread-pane", page.thread]]) {
    const status = page.statuses.get(key(page.channel, thread)) || "";
    $(".typing", $(pane)).textContent = status ? `${bot} ${status}` : "";
  }
}

function showPrompts() {
  const direct = current()?.kind === "direct";
  const buttons = (direct ? page.state.prompts : []).map((prompt) => {
    const button = element("button", { type: "button", textContent: prompt.title, title: prompt.message });
    button.addEventListener("click", () => say(prompt.message, ""));
    return button;
  });
  $("#prompts").replaceChildren(...buttons);
  $("#prompts").hidden = !buttons.length;
}

// ---- what a person does

async function say(text, thread) {
  const body = { channel: page.channel, text };
  if (/^\/[a-z]/i.test(text)) return command(text, thread);
  const said = await post("/page/say", thread ? { ...body, thread_ts: thread } : body);
  if (!said) return false;
  const asksBot = current()?.kind === "direct" || said.mentions_bot;
  if (!thread && asksBot && page.channel === body.channel) openThread(said.ts);
  return true;
}

async function command(text, thread) {
  const [, name, rest] = /^(\S+)\s*([\s\S]*)$/.exec(text);
  if (thread) {
    complain(`Slack runs no commands in threads: write ${name} in the channel.`);
    return false;
  }
  page.opensNextRoot = page.channel;
  const done = await post("/page/command", { channel: page.channel, command: name, text: rest });
  if (!done) page.opensNextRoot = "";
  return Boolean(done);
}

async function press(button, row) {
  if (button.dataset.confirm && !confirm(button.dataset.confirm)) return;
  const [channel, ts] = row.dataset.key.split(" ");
  if (button.dataset.stop !== undefined) {
    button.disabled = true;
    if (!(await post("/page/stop", { channel, ts }))) button.disabled = false;
    return;
  }
  const { action, block = "", value = "" } = button.dataset;
  if (!(await post("/page/press", { channel, ts, action_id: action, block_id: block, value }))) return;
  for (const one of button.closest(".feedback")?.children ?? []) one.removeAttribute("aria-pressed");
  if (button.closest(".feedback")) button.setAttribute("aria-pressed", "true");
}

function pressAtHome(button) {
  if (button.dataset.confirm && !confirm(button.dataset.confirm)) return;
  const { action, value = "" } = button.dataset;
  post("/page/press_at_home", { action_id: action, value });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action], [data-stop]");
  const row = button?.closest(".row");
  if (row) press(button, row);
  else if (button?.closest("#home")) pressAtHome(button);
});

$("#close-thread").addEventListener("click", closeThread);
$("#thread-pane").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) closeThread();
});

function closeThread() {
  const root = page.thread;
  page.thread = "";
  show();
  $(`[data-key="${key(page.channel, root)}"] .replies`)?.focus();
}

$("#menu").addEventListener("click", () => {
  const open = $("#app").classList.toggle("with-menu");
  $("#menu").setAttribute("aria-expanded", String(open));
});

// ---- the composer

for (const [name, pane] of [["channel", $("#channel-pane")], ["thread", $("#thread-pane")]]) {
  const form = $("#composer").content.cloneNode(true).firstElementChild;
  $(".composer-place", pane).replaceWith(form);
  compose(form, name === "thread");
}

function compose(form, inThread) {
  const area = $("textarea", form);
  const send = $(".send", form);
  const choices = $(".choices", form);
  let draft = "";
  let chosen = 0;

  choices.id = inThread ? "choices-thread" : "choices-channel";
  area.setAttribute("aria-controls", choices.id);
  $(".ask", form).hidden = inThread;

  form.setUp = () => {
    const name = `@${page.state.bot.name.toLowerCase()}`;
    $(".mention-bot", form).textContent = name;
    $(".mention-bot", form).setAttribute("aria-label", `Mention ${name}`);
  };
  form.turnTo = (placeholder, to) => {
    area.placeholder = placeholder;
    area.setAttribute("aria-label", placeholder);
    if (draft === to) return;
    page.drafts.set(draft, area.value);
    draft = to;
    area.value = page.drafts.get(to) || "";
    changed();
  };

  function changed() {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    send.disabled = !area.value.trim();
    suggest();
  }

  function insert(words, from = area.selectionStart) {
    area.setRangeText(words, from, area.selectionEnd, "end");
    area.focus();
    changed();
  }

  function beingTyped() {
    const before = area.value.slice(0, area.selectionStart);
    return /(?:^|\s)([@#])([\w-]*)$/.exec(before) || (inThread ? null : /^(\/)(\w*)$/.exec(before));
  }

  function fitting() {
    const found = beingTyped();
    if (!found) return [];
    const names = {
      "@": [page.state.bot, ...page.state.users].map((one) => one.name.toLowerCase()),
      "#": page.state.channels.filter((one) => one.sign === "#").map((one) => one.name),
      "/": page.state.commands,
    }[found[1]];
    return names.filter((name) => name.startsWith(found[2].toLowerCase()) && name !== found[2])
      .map((name) => found[1] + name);
  }

  function suggest() {
    const found = document.activeElement === area ? fitting() : [];
    chosen = 0;
    choices.replaceChildren(...found.map((words, at) => {
      const choice = element("li", { id: `${choices.id}-${at}`, role: "option", textContent: words });
      choice.addEventListener("mousedown", (event) => { event.preventDefault(); take(words); });
      return choice;
    }));
    choices.hidden = !found.length;
    mark();
  }

  function mark() {
    [...choices.children].forEach((choice, at) => choice.setAttribute("aria-selected", String(at === chosen)));
    const id = choices.children[chosen]?.id;
    if (id) area.setAttribute("aria-activedescendant", id);
    else area.removeAttribute("aria-activedescendant");
  }

  function take(words) {
    insert(`${words} `, area.selectionStart - beingTyped()[2].length - 1);
  }

  async function sendIt() {
    const text = area.value.trim();
    if (!text) return;
    area.value = "";
    page.drafts.delete(draft);
    changed();
    const sent = await say(text, inThread ? page.thread : "");
    if (!sent && !area.value) {
      area.value = text;
      changed();
    }
  }

  function chooses(event) {
    const count = choices.children.length;
    if (choices.hidden || !count) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      mark();
    } else if (event.key === "Enter" || event.key === "Tab") take(choices.children[chosen].textContent);
    else if (event.key === "Escape") choices.hidden = true;
    else return false;
    return true;
  }

  area.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (chooses(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      sendIt();
    }
  });
  area.addEventListener("input", changed);
  area.addEventListener("blur", () => { choices.hidden = true; });
  form.addEventListener("submit", (event) => { event.preventDefault(); sendIt(); });
  $(".mention-bot", form).addEventListener("click", (event) => {
    const space = area.value && !/\s$/.test(area.value.slice(0, area.selectionStart)) ? " " : "";
    insert(`${space}${event.target.textContent} `);
  });
  $(".ask", form).addEventListener("click", () => {
    if (!area.value.startsWith("/")) area.setRangeText("/ask ", 0, 0, "end");
    area.selectionStart = area.value.length;
    area.focus();
    changed();
  });
}

connect();
