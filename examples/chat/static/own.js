// A chat with one person whose look is the site's own: ocwp without its interface.
import * as ocwp from "../ocwp/ocwp-core.mjs";

const SHOP = "bob";
const list = document.getElementById("messages");
const status = document.getElementById("status");
const text = document.getElementById("text");

async function credentials() {
  const answer = await fetch("credential?user=alice", { method: "POST" });
  const { jid, password } = await answer.json();
  return { usr: jid, pw: password };
}

function show({ id, name, mine, text }) {
  const item = [...list.children].find((other) => other.dataset.id === id) ?? document.createElement("li");
  item.dataset.id = id;
  item.className = mine ? "mine" : "";
  item.textContent = mine ? text : `${name}: ${text}`; // never as HTML
  list.append(item);
}

ocwp.on("status", async (now) => {
  const ready = now === "XMPP_CONNECTION_CONNECTED_READY";
  status.textContent = ready ? "" : "Connecting…";
  if (ready) (await ocwp.chat.messages(SHOP)).forEach(show);
});

ocwp.on("message", (message) => {
  if (message.chat.startsWith(`${SHOP}@`)) show(message);
});

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  show(ocwp.chat.send(SHOP, text.value));
  text.value = "";
});

await ocwp.init({ ui: false, confPath: "ocwp/config/", credentials });
