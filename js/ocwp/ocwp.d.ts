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
  containerElement: Element;
  /** The folder of config.json. Default: 'config/'. */
  confPath?: string;
  /** Default: `{ path: 'locale/', default: 'enGB' }`. */
  locale?: { path?: string; default?: string };
  chatBox?: ChatBoxOptions;
  /** The same, as OneChat's example spells it. */
  chatbox?: ChatBoxOptions;
  /** To log in at once. */
  login?: Credentials;
  /** To log in at once; asked again at each reconnection, so that credentials may be short-lived. */
  credentials?: () => Promise<Credentials> | Credentials;
  /** Default: 'auto', the visitor's system's. */
  theme?: "auto" | "light" | "dark";
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

/** Resolves when the chat stands on the page. Rejects while another one stands there, and with what the site has to mend. */
export declare function init(options: InitOptions): Promise<void>;
/** Disconnects and removes the chat, so that `init` can be called again. Drafts and open boxes stay in the tab. */
export declare function destroy(): void;
export declare function login(usr: string, pw: string): void;
export declare function logout(): void;
export declare const chat: {
  group: {
    create(options: GroupOptions): Promise<Group>;
  };
};
export declare function getConnectionStatus(): ConnectionStatus;
export declare function subscribeConnectionStatus(callback: (status: ConnectionStatus) => void): void;
/** Without a callback: drops every subscription. */
export declare function unsubscribeConnectionStatus(callback?: (status: ConnectionStatus) => void): void;
export declare const VERSION: number;
export declare const BUILD_DATE: number;

export as namespace ocwp;
