// Chromium with WebGPU on SwiftShader, for the tests in a browser.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

function executable() {
  const found = process.env.CHROME_PATH ?? CHROMIUM.find(existsSync);
  if (!found) throw new Error("no Chromium: install one (apt install chromium), or say in CHROME_PATH where it is");
  return found;
}

/** Starts the browser. `CHROME_PATH` names another one than the system's. */
export const launch = () =>
  chromium.launch({
    executablePath: executable(),
    // Playwright's own headless mode has no WebGPU.
    headless: false,
    args: ["--headless=new", "--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });

/**
 * Opens a page and returns what it, or its worker, prints, up to a line for which `isLast` holds. Rejects with the page's first
 * error, or after `minutes`.
 */
export async function printed(browser, url, isLast, minutes = 4) {
  const page = await browser.newPage();
  const lines = [];
  let late;
  try {
    await new Promise((resolve, reject) => {
      const fail = (text) => reject(new Error(`${url}: ${text}`));
      late = setTimeout(() => fail(`no end after ${minutes} minutes:\n${lines.join("\n")}`), minutes * 60_000);
      page.on("pageerror", (error) => fail(error.stack ?? String(error)));
      page.on("requestfailed", (request) => fail(`${request.url()} failed`));
      page.on("response", (response) => response.ok() || fail(`${response.url()}: ${response.status()}`));
      page.on("console", (message) => {
        lines.push(message.text());
        if (message.type() === "error") fail(message.text());
        if (isLast(message.text())) resolve();
      });
      page.goto(url).catch(reject);
    });
    return lines;
  } finally {
    clearTimeout(late);
    await page.close();
  }
}
