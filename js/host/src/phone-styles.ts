import { css } from "lit";

/** The device around a phone's screen, and what lies on the screen. */
export const phoneStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    align-items: center;
    gap: 12px;
    flex: none;
  }

  /* --- above the device: whose it is, what it is --- */

  .setup {
    display: flex;
    align-items: center;
    gap: 2px;
    max-width: 100%;
    padding: 2px;
    border-radius: 14px;
    background: var(--surface);
    box-shadow: 0 1px 2px rgb(13 27 36 / 8%);
  }

  .setup oc-avatar {
    --size: 28px;
    margin-left: 8px;
  }

  .choice {
    position: relative;
    display: flex;
    align-items: center;
    min-width: 0;
  }

  .choice svg {
    position: absolute;
    right: 8px;
    pointer-events: none;
    color: var(--ink-2);
  }

  select {
    appearance: none;
    min-width: 0;
    max-width: 150px;
    height: 44px;
    padding: 0 26px 0 10px;
    border: 0;
    border-radius: 12px;
    background: transparent;
    text-overflow: ellipsis;
    cursor: pointer;
  }

  select option {
    background: var(--surface);
    color: var(--ink);
  }

  select:hover {
    background: color-mix(in srgb, var(--ink) 6%, transparent);
  }

  .user select {
    font-weight: 600;
  }

  .make select {
    color: var(--ink-2);
  }

  /* --- the device: drawn at its own size, scaled to the room there is --- */

  .room {
    width: calc(var(--outer-width) * var(--scale));
    height: calc(var(--outer-height) * var(--scale));
  }

  .device {
    width: var(--outer-width);
    height: var(--outer-height);
    padding: var(--bezel);
    border-radius: calc(var(--radius) + var(--bezel));
    background: #10161b;
    box-shadow:
      inset 0 0 0 1.5px #3c4851,
      0 2px 4px rgb(13 27 36 / 20%),
      0 24px 48px -12px rgb(13 27 36 / 35%);
    transform: scale(var(--scale));
    transform-origin: 0 0;
  }

  .screen {
    position: relative;
    display: flex;
    flex-direction: column;
    width: 100%;
    height: 100%;
    overflow: hidden;
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--ink);
    /* Rounded corners clip the frame, too, only where the screen is a layer of its own. */
    isolation: isolate;
  }

  .status {
    display: flex;
    align-items: center;
    justify-content: space-between;
    flex: none;
    height: 28px;
    padding: 0 16px;
    font: 600 13px/1 system-ui, sans-serif;
  }

  .island .status,
  .hole .status {
    height: 46px;
    padding: 4px 28px 0;
    font-size: 15px;
  }

  .island .status::after,
  .hole .status::after {
    content: "";
    position: absolute;
    z-index: 50;
    left: 50%;
    top: 10px;
    width: 112px;
    height: 30px;
    margin-left: -56px;
    border-radius: 15px;
    background: #10161b;
  }

  .hole .status::after {
    top: 13px;
    width: 22px;
    height: 22px;
    margin-left: -11px;
  }

  .island .toasts,
  .hole .toasts {
    top: 48px;
  }

  /* Below the title bar of an app: its buttons stay within reach. */
  .toasts.low,
  .island .toasts.low,
  .hole .toasts.low {
    top: calc(var(--bar, 28px) + 54px);
  }

  .island,
  .hole {
    --bar: 46px;
    --bottom: 12px; /* keeps buttons clear of the round corners */
  }

  .bare.room,
  .bare .device {
    width: 100%;
    height: 100%;
    padding: 0;
    border-radius: 0;
    background: none;
    box-shadow: none;
    transform: none;
  }

  .bare .screen {
    --bar: 0px;
    border-radius: 0;
  }

  /* --- the screen --- */

  .view {
    position: relative;
    flex: 1;
    min-height: 0;
    display: flex;
    flex-direction: column;
  }

  .view > * {
    flex: 1;
    min-height: 0;
  }

  .view > oc-app {
    position: absolute;
    inset: 0;
    z-index: 10;
  }

  /* Left running: not drawn, so that nothing in it can take the focus. Frames keep running, and their place. */
  .view > oc-app.away {
    display: none;
  }

  nav {
    display: flex;
    flex: none;
    padding: 0 8px var(--bottom, 0px);
    border-top: 1px solid var(--line);
  }

  nav button {
    position: relative;
    flex: 1;
    display: grid;
    justify-items: center;
    gap: 1px;
    min-height: 52px;
    padding: 6px 0 5px;
    font-size: 11.5px;
    font-weight: 500;
    color: var(--ink-2);
    border-radius: 12px;
  }

  nav button:hover {
    color: var(--ink);
  }

  nav button[aria-current="page"] {
    color: var(--accent);
    font-weight: 700;
  }

  nav button:focus-visible {
    outline-offset: -3px;
  }

  .badge {
    position: absolute;
    top: 3px;
    left: calc(50% + 4px);
    min-width: 18px;
    padding: 0 5px;
    border-radius: 9px;
    font: 700 11px/18px system-ui, sans-serif;
    text-align: center;
    background: var(--badge);
    color: var(--surface);
    box-shadow: 0 0 0 2px var(--surface);
  }

  .toasts {
    position: absolute;
    z-index: 20;
    inset: 6px 8px auto;
  }

  .toast {
    display: flex;
    align-items: center;
    gap: 12px;
    width: 100%;
    min-height: 60px;
    padding: 8px 14px;
    border-radius: 18px;
    text-align: start;
    background: var(--raised);
    box-shadow:
      0 0 0 1px var(--line),
      var(--shadow);
    animation: drop 0.24s cubic-bezier(0.2, 0.8, 0.3, 1);
  }

  .toast oc-avatar {
    --size: 38px;
  }

  .toast .words {
    min-width: 0;
  }

  .toast strong,
  .toast span {
    display: block;
  }

  .toast span span {
    color: var(--ink-2);
    font-size: 14px;
  }

  .notices {
    position: absolute;
    z-index: 20;
    inset: auto 16px calc(70px + var(--bottom, 0px));
    display: grid;
    justify-content: center;
    pointer-events: none;
  }

  .notice {
    padding: 9px 18px;
    border-radius: 20px;
    font-size: 14px;
    font-weight: 500;
    background: var(--ink);
    color: var(--surface);
    box-shadow: var(--shadow);
    animation: lift 0.24s cubic-bezier(0.2, 0.8, 0.3, 1);
  }

  @keyframes lift {
    from {
      transform: translateY(16px);
      opacity: 0;
    }
  }

  @keyframes drop {
    from {
      transform: translateY(-16px);
      opacity: 0;
    }
  }

  @media (max-width: 640px) {
    :host {
      width: 100%;
      height: 100%;
      gap: 0;
      align-items: stretch;
    }

    .setup {
      padding-left: 6px;
      border-radius: 0;
      box-shadow: 0 1px 0 var(--line);
    }

    .choice.user {
      flex: 1;
    }

    .choice.user select {
      flex: 1;
      max-width: none;
    }

    /* The bar above shows who it is. */
    .setup oc-avatar {
      display: none;
    }

    .room {
      flex: 1;
      min-height: 0;
    }
  }
`;
