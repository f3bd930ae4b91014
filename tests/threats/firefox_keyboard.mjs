// A mini app that takes the keyboard, in Firefox. Reads one line of JSON, {url, port, word}. Types `word` into a picker
// on the second phone while the app on the first steals the focus, in front and in the background; then into the app,
// after a press. Prints, as JSON, where the letters went.

import { once } from "node:events";
import { createInterface } from "node:readline";

import puppeteer from "puppeteer-core";

const SECONDS = 30_000; // milliseconds, for anything to happen on a busy machine

const [line] = await once(createInterface({ input: process.stdin }), "line");
const { url, port, word } = JSON.parse(line);
const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  page.setDefaultTimeout(SECONDS);
  await page.goto(url);
  const find = (phone, selector) => page.waitForSelector(`>>> [data-testid=phone-${phone}] ${selector}`, { visible: true });
  const test = (name) => `>>> [data-testid=${name}]`;
  const click = async (phone, selector) => (await find(phone, selector)).evaluate((one) => one.click());
  const box = async (element) => {
    const { x, y, width, height } = await element.boundingBox();
    return [x + width / 2, y + height / 2];
  };
  const open = async () => {
    await click(0, test("tab-apps"));
    await click(0, ">>> .name::-p-text(Lunch)");
  };

  await open();
  const frame = await page.waitForFrame((one) => new URL(one.url()).port === port);
  await frame.waitForSelector("body[data-connected]");
  await click(1, test("new-chat"));
  const search = await find(1, test("picker-search"));
  await page.mouse.move(...(await box(await find(0, test("app-frame")))));
  await search.focus();
  const steal = () =>
    frame.evaluate(() => {
      window.keys = "";
      window.thefts = 0;
      const field = document.getElementById("field");
      window.onkeydown = ({ key }) => (window.keys += key);
      window.thief = setInterval(() => {
        field.focus();
        window.thefts += 1;
      }, 50);
    });
  const typed = () => search.evaluate((one) => one.value);
  const stolen = () => frame.evaluate(() => window.keys);
  const noticed = find(0, test("notice")).then((notice) => notice.evaluate((one) => one.textContent));
  await steal();
  await page.keyboard.type(word, { delay: 40 });
  const seen = { search: await typed(), stolen: await stolen() };
  seen.notice = await noticed;

  await frame.evaluate(() => (window.keys = ""));
  await click(0, test("app-back"));
  await search.evaluate((one) => {
    one.value = "";
    one.focus();
  });
  await page.keyboard.type(word, { delay: 40 });
  seen.background = { search: await typed(), stolen: await stolen() };

  await frame.evaluate(() => clearInterval(window.thief));
  await open();
  await find(0, test("app-frame"));
  await search.evaluate((one) => one.focus());
  await page.keyboard.type("x");
  const field = await frame.waitForSelector("#field");
  const [left, top] = await (await find(0, test("app-frame"))).evaluate((one) => {
    const { x, y } = one.getBoundingClientRect();
    return [x, y];
  });
  const [dx, dy] = await field.evaluate((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [x + width / 2, y + height / 2];
  });
  await page.mouse.move(left + dx + 5, top + dy, { steps: 3 });
  await page.mouse.move(left + dx, top + dy);
  await page.mouse.down();
  await page.mouse.up();
  await page.keyboard.type(word);
  seen.field = await field.evaluate((one) => one.value);
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
