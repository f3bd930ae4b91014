import { api } from "./api.js";

/** The plugin without an interface, for sites that draw their own. */
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
} = api();
