import { api } from "./api.js";
import { Root } from "./root.js";

/** The plugin with its interface. */
export const {
  init,
  destroy,
  login,
  logout,
  on,
  unread,
  chat,
  getConnectionStatus,
  subscribeConnectionStatus,
  unsubscribeConnectionStatus,
  VERSION,
  BUILD_DATE,
} = api((ui) => Root.in(ui));
