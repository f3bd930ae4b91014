// Makes OneChat's documented object as a native app does: each call becomes a message to the app, which calls back.
// This file is one expression; container.py puts it into the page, with what OneChat knows about the person.
(profile) => {
  const options = (window.containerCalls = window.containerCalls || []);

  // Tells container.py about a call. It answers by running containerCalls[id].success(…) or .fail(…) in this page.
  const ask = (call) => (given) => {
    const id = options.push(given) - 1;
    window.webkit.messageHandlers.onechat.postMessage(JSON.stringify({ id, call, args: given }));
  };

  return {
    user: {
      getSessionID: () => profile.sessionId,
      deviceInfo: () => JSON.stringify(profile.device),
      getVCard: () => JSON.stringify(profile.vCard),
      selectContacts: ask("selectContacts"),
    },
    message: {
      single: { relay: ask("single.relay") },
      group: { relay: ask("group.relay") },
    },
  };
}
