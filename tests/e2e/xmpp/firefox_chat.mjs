// OneChat's example on a page of the site, in Firefox. Reads one line of JSON, {url, usr, pw, to, text}: logs in, writes
// `text` to `to`, waits for an answer. Prints, as JSON, the statuses, the texts shown, errors and breaks of the policy.

import { once } from "node:events";
import { createInterface } from "node:readline";

import puppeteer from "puppeteer-core";

const WAIT_MS = 30_000; // for anything to happen on a busy machine

const [line] = await once(createInterface({ input: process.stdin }), "line");
const { url, usr, pw, to, text } = JSON.parse(line);
const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  await page.setViewport({ width: 1200, height: 700 });
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  const statuses = await page.evaluate(
    (usr, pw) =>
      new Promise((resolve) => {
        const statuses = [];
        ocwp.subscribeConnectionStatus((status) => {
          statuses.push(status);
          if (status === "XMPP_CONNECTION_CONNECTED_READY") resolve(statuses);
        });
        ocwp.init({
          confPath: "./config/",
          locale: { path: "./locale/", default: "enGB" },
          containerElement: document.getElementById("onechatContainer"),
          chatbox: { minHeight: 100, minWidth: 250, paddingTop: 80, outerPaddingLeft: "350px" },
          login: { usr, pw },
        });
      }),
    usr,
    pw,
  );
  // Visible, so that it is looked for all the time: else changes inside shadow roots go unseen.
  const find = (selector) => page.waitForSelector(`>>> ${selector}`, { visible: true });
  await (await find("input[type=search]")).type(to);
  await (await find(`button[data-jid="${to}"]`)).click();
  const entry = await find("textarea");
  await entry.type(text);
  await entry.press("Enter");
  await find(".message:not(.mine) .text");
  const shown = () => page.$$eval(">>> .text", (found) => found.map((one) => one.textContent));
  let texts = await shown();
  // An answer may overtake the server's confirmation. The archive then tells the order.
  for (const end = Date.now() + WAIT_MS; texts[0] !== text && Date.now() < end; ) texts = await shown();
  const breaks = await page.evaluate(() => window.policyBreaks);
  console.log(JSON.stringify({ statuses, texts, errors, breaks }));
} finally {
  await browser.close();
}
