import type { Chat } from "./chat.js";
import type { Client } from "./client.js";
import type { Message } from "./timeline.js";

/** Notifications of the browser, once the person has asked for them. */
export class Notifier {
  constructor(
    private readonly client: Client,
    private readonly open: (chat: Chat) => void,
  ) {}

  get possible(): boolean {
    return (
      this.client.config.features.notifications && "Notification" in window && Notification.permission !== "denied"
    );
  }

  get on(): boolean {
    return this.possible && this.client.memory.kept.notify && Notification.permission === "granted";
  }

  /** To be called in answer to a click: browsers ask the person only then. */
  async toggle(): Promise<void> {
    const granted = !this.on && (await Notification.requestPermission()) === "granted";
    this.client.memory.kept.notify = granted;
    this.client.memory.save();
    this.client.changed();
  }

  show(chat: Chat, message: Message, title: string): void {
    if (!this.on) return;
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
