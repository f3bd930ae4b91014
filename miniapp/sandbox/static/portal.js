// The admin portal's script: turns its forms into calls of the controls (docs/protocol.md, "/_sandbox/*").
//
// A form says what it calls: data-method, data-path; what to ask first: data-confirm; and which fields of the
// answer to show, this once: data-show. Fields become the JSON body; data-type tells what is not text.

const token = document.querySelector('meta[name="sandbox-token"]').content;
const fault = document.getElementById("fault");
const once = document.getElementById("once");
const confirmation = document.getElementById("confirm");
const LABELS = { appId: "App ID", apiKey: "API key", sessionId: "Session ID", jid: "JID", password: "Password" };

function read(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    const type = field.dataset.type;
    if (field.type === "checkbox") body[field.name] = field.checked;
    else if (type === "boolean") body[field.name] = field.value === "true";
    else if (type === "number") body[field.name] = Number(field.value);
    else if (field.value !== "") body[field.name] = field.value;
  }
  return body;
}

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-Sandbox-Token": token },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error([value.error.message, value.error.hint].filter(Boolean).join(" "));
  return value;
}

function closed(dialog) {
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

async function confirmed(question, verb) {
  document.getElementById("confirm-question").textContent = question;
  document.getElementById("confirm-yes").textContent = verb;
  confirmation.returnValue = "";
  confirmation.showModal();
  return (await closed(confirmation)) === "yes";
}

function row(name, value) {
  const term = document.createElement("dt");
  term.textContent = LABELS[name];
  const text = document.createElement("code");
  text.textContent = value;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "button quiet";
  copy.textContent = "Copy";
  copy.setAttribute("aria-label", `Copy ${LABELS[name]}`);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text); // no clipboard here: one key press is left to do
    }
  });
  const cell = document.createElement("dd");
  cell.append(text, copy);
  return [term, cell];
}

async function show(names, value) {
  document.getElementById("once-title").textContent = names.map((name) => LABELS[name]).join(" and ");
  document.getElementById("once-values").replaceChildren(...names.flatMap((name) => row(name, value[name])));
  once.showModal();
  await closed(once);
}

async function submit(form) {
  const { method, path, confirm, show: shown } = form.dataset;
  const button = form.querySelector("button");
  fault.hidden = true;
  if (confirm && !(await confirmed(confirm, button.firstChild.textContent))) return;
  button.disabled = true;
  try {
    const value = await call(method, path, read(form));
    if (shown) await show(shown.split(" "), value);
    location.reload();
  } catch (error) {
    fault.textContent = error.message;
    fault.hidden = false;
    fault.scrollIntoView({ block: "nearest" });
    button.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.path) return;
  event.preventDefault();
  submit(event.target);
});

for (const time of document.querySelectorAll("time")) {
  time.title = time.textContent;
  time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

for (const image of document.querySelectorAll(".picture img")) {
  const missing = () => image.remove(); // the letter behind it shows
  if (image.complete && !image.naturalWidth) missing();
  else image.addEventListener("error", missing);
}
