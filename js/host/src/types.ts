/** The objects of docs/protocol.md, as the sandbox sends them. */

export type Kind = "direct" | "group" | "alert";

export interface User {
  jid: string;
  name: string;
  avatar: string;
  admin: boolean;
}

export interface Group {
  jid: string;
  name: string;
  owner: string;
  members: string[];
}

export interface App {
  appId: string;
  name: string;
  icon: string;
  url: string;
  admin: string;
  status: "pending" | "approved" | "suspended";
  createdAt: string;
}

export interface Message {
  id: number;
  kind: Kind;
  thread: string;
  from: { jid: string; name: string };
  to: string;
  text: string;
  at: string;
}

/** An invitation to a group that the person has yet to answer. */
export interface Invitation {
  group: string;
  name: string;
  by: { jid: string; name: string };
}

export interface Thread {
  id: string;
  kind: Kind;
  title: string;
  avatar: string;
  last: Message | null;
  unread: number;
}

/** What `OC.user.deviceInfo()` tells a page; OneChat's sizes are text. */
export interface DeviceInfo {
  device: string;
  os: string;
  screenWidth: string;
  screenHeight: string;
}

export interface LaunchData {
  v: number;
  host: string;
  app: { id: string; name: string };
  sessionId: string;
  vCard: { jid: string; userName: string; avatar: string };
  device: DeviceInfo;
}

export interface Launch {
  url: string;
  origin: string;
}

export interface State {
  domain: string;
  groupDomain: string;
  /** The first by name, and those that were asked for. */
  users: User[];
  userCount: number;
  apps: App[];
}

/** A relay that the page asked for and the person has yet to confirm. */
export type Relay =
  | { kind: "single"; recipient: string[]; textMessage: string }
  | { kind: "group"; groupJid: string; textMessage: string }
  | { kind: "new-group"; invitees: string[]; textMessage: string };

export type ErrorCode =
  "not_in_host" | "bad_argument" | "cancelled" | "timeout" | "refused" | "unreachable" | "signed_out";

/** An error as the bridge carries it: what happened, and what to do. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint = "",
  ) {
    super(message);
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
