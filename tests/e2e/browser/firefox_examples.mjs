// OneChat's examples on a phone of the host page, in Firefox. Reads one line of JSON, {url, port}: opens the app on
// `port`, and the examples that need nobody. Prints, as JSON, what each logs, and errors.

import { once } from "node:events";
import { createInterface } from "node:readline";

import puppeteer from "puppeteer-core";

const SECONDS = 30_000; // milliseconds, for anything to happen on a busy machine

const [line] = await once(createInterface({ input: process.stdin }), "line");
const { url, port } = JSON.parse(line);
const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(SECONDS);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  // Visible, so that it is looked for all the time: else changes inside shadow roots go unseen. By script, since
  // puppeteer's mouse misses what is in a frame that is scaled, as phones are.
  const click = async (where, selector) => {
    const found = await where.waitForSelector(selector, { visible: true });
    await found.evaluate((one) => one.click());
  };
  await click(page, ">>> [data-testid=tab-apps]");
  await click(page, ">>> .name::-p-text(Examples)");
  const frame = await page.waitForFrame((one) => new URL(one.url()).port === port);
  const logged = {};
  for (const name of ["getSessionID", "deviceInfo", "getVCard"]) {
    const log = new Promise((resolve) => page.once("console", (message) => resolve(message.text())));
    await click(frame, `a::-p-text(${name})`);
    logged[name] = await log;
    await click(frame, "a::-p-text(All examples)");
  }
  console.log(JSON.stringify({ logged, errors }));
} finally {
  await browser.close();
}
