import type { Chat } from "./chat.js";
import type { Client } from "./client.js";
import type { Message } from "./timeline.js";

/** Seconds and hertz of the sound of a new message. */
const SOUND = { seconds: 0.25, hertz: 660 };

/** Notifications of the browser and their sound, once the person has asked for them. */
export class Notifier {
  #permission: PermissionState | undefined; // known a moment after the start

  constructor(
    private readonly client: Client,
    private readonly open: (chat: Chat) => void,
  ) {
    if (client.config.features.notifications && "Notification" in window) void this.#follow();
  }

  get possible(): boolean {
    return this.#permission !== undefined && this.#permission !== "denied";
  }

  get on(): boolean {
    return this.#permission === "granted" && this.client.memory.kept.notify;
  }

  /** To be called in answer to a click: browsers ask the person only then. */
  async toggle(): Promise<void> {
    const granted = !this.on && (await Notification.requestPermission()) === "granted";
    if (granted) this.#permission = "granted";
    this.client.memory.kept.notify = granted;
    this.client.memory.save();
    this.client.changed();
  }

  /** `Notification.permission` halts the page, for 8 ms each time, until the browser has looked it up. */
  async #follow(): Promise<void> {
    try {
      const status = await navigator.permissions.query({ name: "notifications" });
      status.addEventListener("change", () => this.#learn(status.state));
      this.#learn(status.state);
    } catch {
      // An older browser, or a page that is not secure.
      this.#learn(Notification.permission === "default" ? "prompt" : Notification.permission);
    }
  }

  #learn(permission: PermissionState): void {
    this.#permission = permission;
    this.client.changed();
  }

  show(chat: Chat, message: Message, title: string): void {
    if (!this.on) return;
    ring();
    // Several tabs, one notification: the tag is that of the message.
    const tag = `ocwp:${chat.jid}:${message.archive ?? message.id}`;
    const icon = this.client.people.avatarOf(chat.jid);
    try {
      const notification = new Notification(title, { body: message.text.slice(0, 200), tag, ...(icon && { icon }) });
      notification.onclick = () => {
        window.focus();
        this.open(chat);
        notification.close();
      };
    } catch {
      // Android's Chrome wants a service worker, which is the site's to have.
    }
  }
}

function ring(): void {
  try {
    const context = new AudioContext();
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    tone.frequency.value = SOUND.hertz;
    volume.gain.setValueAtTime(0.1, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + SOUND.seconds);
    tone.connect(volume).connect(context.destination);
    tone.onended = () => void context.close();
    tone.start();
    tone.stop(context.currentTime + SOUND.seconds);
  } catch {
    // No sound in this browser, or none before the page's first click.
  }
}
