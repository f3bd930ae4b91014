/** OneChat's chat plugin: the global `ocwp` of ocwp.js, and the module ocwp.mjs. */

export type ConnectionStatus =
  | "XMPP_CONNECTION_IDLE"
  | "XMPP_CONNECTION_DISCONNECTED"
  | "XMPP_CONNECTION_CONNECTED"
  | "XMPP_CONNECTION_CONNECTED_READY"
  | "XMPP_CONNECTION_CONNECTING"
  | "XMPP_CONNECTION_AUTHFAIL"
  | "XMPP_CONNECTION_CONNFAIL"
  | "XMPP_CONNECTION_ERROR";

export interface Credentials {
  /** A JID, or a user name on the configured domain. */
  usr: string;
  /** A short-lived credential from the site's backend; or a password, which does not belong into a page's code. */
  pw: string;
}

/** Pixels, as a number or as text such as '350px'. */
export type Length = number | string;

export interface ChatBoxOptions {
  /** Between boxes. Default: 5. */
  marginLeft?: Length;
  marginRight?: Length;
  /** Default: 600. */
  maxHeight?: Length;
  maxWidth?: Length;
  /** When a box opens. Default: 100. */
  minHeight?: Length;
  /** When a box opens. Default: 250. */
  minWidth?: Length;
  /** What stays free above. Default: 80. */
  paddingTop?: Length;
  /** What stays free of boxes at the start, for the list or the site's own bar. Default: '350px'. */
  outerPaddingLeft?: Length;
  /** Default: 0. */
  outerPaddingRight?: Length;
}

export interface InitOptions {
  /** Where the chat stands; not needed with `ui: false`. */
  containerElement?: Element;
  /** Default: true. False: no interface; the page draws its own with `on` and `chat`. */
  ui?: boolean;
  /** Whether the list of chats has a form to sign in by. Default: false. */
  signIn?: boolean;
  /** Whether the page's title begins with the number of unread messages. Default: false. */
  title?: boolean;
  /** The folder of config.json. Default: 'config/'. */
  confPath?: string | undefined;
  /** Default: `{ path: 'locale/', default: 'enGB' }`. */
  locale?: { path?: string | undefined; default?: string | undefined };
  chatBox?: ChatBoxOptions | undefined;
  /** The same, as OneChat's example spells it. */
  chatbox?: ChatBoxOptions;
  /** To log in at once. */
  login?: Credentials;
  /** To log in at once; asked again at each reconnection, so that credentials may be short-lived. */
  credentials?: (() => Promise<Credentials> | Credentials) | undefined;
  /** Default: 'auto', the visitor's system's. */
  theme?: "auto" | "light" | "dark" | undefined;
}

export interface GroupOptions {
  /** JIDs, or user names on the configured domain; at least one besides the creator. */
  members: string[] | string;
  chatName?: string;
  /** The address of a picture, or base64 text. */
  chatAvatar?: string;
  /** A UUID. Where the group exists, it is opened. */
  chatJid?: string;
}

export interface Group {
  jid: string;
  /** Why the group has no picture, where `chatAvatar` named one. */
  avatarError?: string;
}

export interface ChatMessage {
  id: string;
  /** The JID of the person, group or service whose chat it is in. */
  chat: string;
  /** The sender's bare JID; in a group that hides JIDs, the nickname. */
  from: string;
  /** The sender's name. */
  name: string;
  /** Whether the person who is signed in has sent it. */
  mine: boolean;
  /** Empty if it was retracted. */
  text: string;
  /** The address of the file that the message consists of. */
  file?: string;
  /** Milliseconds since 1970. */
  at: number;
  /** What became of one's own. */
  delivery: "sending" | "sent" | "delivered" | "read" | "failed";
  edited: boolean;
  retracted: boolean;
}

export interface Events {
  /** Somebody else's message came in just now, or while this client was away. */
  message: ChatMessage;
  /** The number of unread messages of a chat has changed. `total` is that of all chats. */
  unread: { chat: string; count: number; total: number };
  /** A chat's box was opened or closed. */
  open: { chat: string };
  close: { chat: string };
  status: ConnectionStatus;
  /** The chat can't start, or the credentials are wrong. */
  error: Error;
}

export interface OpenOptions {
  /** Text to begin with, unless the person has started to write there. */
  draft?: string;
}

export interface MessagesOptions {
  /** The `id` of a message: those before it. Default: the newest. */
  before?: string;
  /** How many at most. Default: 50. */
  limit?: number;
}

/** Resolves when the chat stands on the page. Rejects while another one stands there, and with what the site has to mend. */
export declare function init(options: InitOptions): Promise<void>;
/** Disconnects and removes the chat, so that `init` can be called again. Drafts and open boxes stay in the tab. */
export declare function destroy(): void;
export declare function login(usr: string, pw: string): void;
export declare function logout(): void;
/**
 * `<ocwp-chat>`: the chat stands in it while it is on the page. Attributes: conf-path, locale-path, locale, theme, sign-in,
 * unread-in-title.
 */
export interface ChatElement extends HTMLElement {
  credentials: InitOptions["credentials"];
  chatBox: InitOptions["chatBox"];
}
declare global {
  interface HTMLElementTagNameMap {
    "ocwp-chat": ChatElement;
  }
}

/** Calls `handler` at each event of that name, until the returned function is called. */
export declare function on<Name extends keyof Events>(name: Name, handler: (detail: Events[Name]) => void): () => void;
/** The number of unread messages of one chat, or of all that are not muted. */
export declare function unread(jid?: string): number;
export declare const chat: {
  group: {
    create(options: GroupOptions): Promise<Group>;
  };
  /** Opens the chat with a person or group. `jid` may be a user name on the configured domain. */
  open(jid: string, options?: OpenOptions): void;
  close(jid: string): void;
  /** Sends at once, or when there is a connection again. Throws if nobody is signed in, or the text is too long. */
  send(jid: string, text: string): ChatMessage;
  /** Oldest first. Loads from the archive what is not here yet. */
  messages(jid: string, options?: MessagesOptions): Promise<ChatMessage[]>;
};
export declare function getConnectionStatus(): ConnectionStatus;
export declare function subscribeConnectionStatus(callback: (status: ConnectionStatus) => void): void;
/** Without a callback: drops every subscription. */
export declare function unsubscribeConnectionStatus(callback?: (status: ConnectionStatus) => void): void;
export declare const VERSION: number;
export declare const BUILD_DATE: number;

export as namespace ocwp;
