// An ordinary page with a chat. Who one is comes from the site's own login; here it is a list to choose from.
const user = document.getElementById("user");
const status = document.getElementById("status");

// The backend knows who is logged in, and issues a credential that is good for minutes: no password is on this page.
async function credential() {
  const answer = await fetch(`credential?user=${encodeURIComponent(user.value)}`, { method: "POST" });
  const { jid, password } = await answer.json();
  return { usr: jid, pw: password };
}

ocwp.subscribeConnectionStatus((now) => {
  status.value = now;
});
status.value = ocwp.getConnectionStatus();

ocwp.init({
  confPath: "./ocwp/config/",
  locale: { path: "./ocwp/locale/", default: "enGB" },
  containerElement: document.getElementById("onechatContainer"),
  chatBox: { minHeight: 260, outerPaddingLeft: "350px" },
});

document.getElementById("login").addEventListener("click", async () => {
  const { usr, pw } = await credential();
  ocwp.login(usr, pw);
});

document.getElementById("logout").addEventListener("click", () => ocwp.logout());

document.getElementById("group").addEventListener("click", () =>
  ocwp.chat.group.create({
    members: ["alice", "bob", "carol"],
    chatName: "The corner shop",
    // Of the same UUID there is one group: whoever comes later opens it.
    chatJid: "3f2b8c1e-5d4a-4e6f-9a7b-1c2d3e4f5a6b",
  }),
);
