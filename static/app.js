// The page's side of the starter. OC is OneChat's interface to mini apps; OC.app is what the framework adds to it.
// window.miniappOC is OC with all of that, also where a phone's own window.OC can't be changed.
// Plain ES2015, so that the web views of old phones run it as it stands.
((OC) => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const message = byId("message");
  let people = []; // JIDs

  // --- what the page says ---

  const say = (state, text, hint) => {
    const status = byId("status");
    status.dataset.state = state;
    status.textContent = hint ? `${text} ${hint}` : text;
  };

  // Does one thing at a time per button, and says how it goes. `work` returns a promise of what to say in the end.
  const run = (button, text, work) => {
    if (button.getAttribute("aria-busy") === "true") {
      return;
    }
    button.setAttribute("aria-busy", "true");
    say("busy", text);
    Promise.resolve()
      .then(work)
      .then(
        (done) => say("done", done),
        (error) => (error.code === "cancelled" ? say("idle", "Nothing was sent.") : say("failed", error.message, error.hint))
      )
      .then(() => button.removeAttribute("aria-busy"));
  };

  // --- who is there ---

  const greet = () => {
    const user = OC.app.user || {};
    const device = OC.app.device || {};
    if (user.userName) {
      byId("name").textContent = user.userName;
      byId("initial").textContent = Array.from(user.userName)[0];
    }
    if (/^(data:image\/|https:)/.test(user.avatar || "")) {
      const avatar = byId("avatar");
      avatar.onload = () => {
        avatar.hidden = false;
      };
      avatar.src = user.avatar;
    }
    byId("device").textContent = [device.device, device.os].filter(Boolean).join(", ");
  };

  // --- people ---

  const show = () => {
    const list = byId("people");
    list.textContent = "";
    people.forEach((jid) => {
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = jid.split("@")[0];
      remove.title = jid;
      remove.setAttribute("aria-label", `Remove ${jid}`);
      remove.onclick = () => {
        people = people.filter((other) => other !== jid);
        show();
        byId("choose").focus(); // the button that had the focus is gone
      };
      list.appendChild(document.createElement("li")).appendChild(remove);
    });
    document.querySelector("#choose span").textContent = people.length ? "Add people" : "Choose people";
  };

  const choose = () =>
    OC.user.selectContacts({ maxNumberOfSelection: -1 }).then((selected) => {
      people = Array.from(new Set(people.concat(selected)));
      show();
      return people;
    });

  // The people chosen so far; asks for some if there are none.
  const chosen = () =>
    people.length
      ? Promise.resolve(people)
      : choose().then((jids) => (jids.length ? jids : Promise.reject({ code: "cancelled" })));

  const count = (number) => (number === 1 ? "1 person" : `${number} people`);

  // --- the group that this page has started ---

  const key = () => `group of ${OC.app.user.jid}`; // one web view may serve several users in turn

  const useGroup = (jid) => {
    byId("group").hidden = !jid;
    byId("group-jid").textContent = jid;
    document.querySelector("[name=groupJid]").value = jid;
  };

  const remember = (jid) => {
    useGroup(jid);
    try {
      sessionStorage.setItem(key(), jid);
    } catch (blocked) {
      // Then the group is known until the page is left.
    }
  };

  const recall = () => {
    try {
      useGroup(sessionStorage.getItem(key()) || "");
    } catch (blocked) {
      useGroup("");
    }
  };

  // --- asking, as the user ---

  const ask = {
    each: () =>
      chosen().then((jids) =>
        OC.message.single
          .relay({ recipient: JSON.stringify(jids), textMessage: message.value })
          .then(() => `Sent to ${count(jids.length)}.`)
      ),
    newGroup: () =>
      chosen().then((jids) =>
        OC.message.group.relay({ invitees: JSON.stringify(jids), textMessage: message.value }).then((jid) => {
          remember(jid);
          return `The group is there, with ${count(jids.length)} and you.`;
        })
      ),
    group: () =>
      OC.message.group
        .relay({ groupJid: byId("group-jid").textContent, textMessage: message.value })
        .then(() => "Sent to the group."),
  };

  // --- alerts, by the server ---

  // OC.app.fetch carries the login, and renews it where it has ended.
  const post = (form) => {
    const body = new FormData(form);
    if (!form.elements.message) {
      body.append("message", message.value);
    }
    return OC.app.fetch(form.action, { method: "POST", body }).then((response) => {
      if (response.ok) {
        return form.dataset.done;
      }
      const unknown = { message: `The server answered ${response.status}.`, hint: "Try again later." };
      return response.json().then(
        (answer) => Promise.reject(answer.error || unknown),
        () => Promise.reject(unknown)
      );
    });
  };

  // --- wiring ---

  all("[data-text]").forEach((chip) => {
    chip.onclick = () => {
      message.value = chip.dataset.text;
      message.focus();
    };
  });

  byId("choose").onclick = () =>
    run(byId("choose"), "Choosing people…", () =>
      choose().then((jids) => (jids.length ? `${count(jids.length)} chosen.` : "Nobody was chosen."))
    );

  all("[data-ask]").forEach((button) => {
    button.onclick = () => {
      if (byId("ask").reportValidity()) {
        run(button, "Waiting for OneChat…", ask[button.dataset.ask]);
      }
    };
  });

  all("form[data-alert]").forEach((form) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      if (form.elements.message || byId("ask").reportValidity()) {
        run(form.querySelector("button"), "Sending…", () => post(form));
      }
    };
  });

  OC.app.ready.then(greet).then(recall, (error) => say("failed", error.message, error.hint));
})(window.miniappOC);
