// The chat in a React app: <Chat> mounts it, and removes it when it goes.
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import * as ocwp from "./ocwp/ocwp.mjs"; // by: miniapp ocwp ocwp

function Chat({ credentials, onUnread }) {
  const container = useRef(null);
  useEffect(() => {
    const end = ocwp.on("unread", ({ total }) => onUnread(total));
    const files = { confPath: "/ocwp/config/", locale: { path: "/ocwp/locale/" } };
    ocwp.init({ containerElement: container.current, credentials, ...files }).catch(() => {}); // it has said why
    return () => {
      end();
      ocwp.destroy();
    };
  }, []);
  return <div ref={container} />;
}

async function credentials() {
  const answer = await fetch("/credential?user=alice", { method: "POST" });
  const { jid, password } = await answer.json();
  return { usr: jid, pw: password };
}

function App() {
  const [open, setOpen] = useState(true);
  const [unread, setUnread] = useState(0);
  return (
    <main>
      <button onClick={() => setOpen(!open)}>{open ? "Leave the chat" : `To the chat (${unread} unread)`}</button>
      {open && <Chat credentials={credentials} onUnread={setUnread} />}
    </main>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
