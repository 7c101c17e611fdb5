import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Service } from "../../../app/test/support/service.ts";
import { startBrowser } from "../../../insights/test/support/browser.ts";
import { startEmbeddingService, startExample, type Example } from "./support/example.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** Folder for screenshots to look at; without it, none are taken. */
const { SCREENSHOTS } = process.env;
/** Pixels by which the page is wider than its window. */
const OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

let service: Service;
let example: Example;
let browser: Browser;

beforeAll(async () => {
    service = await startEmbeddingService();
    example = await startExample(service.url);
    browser = await startBrowser();
    await example.ready;
});

afterAll(async () => {
    await browser.close();
    await example.stop(0);
    await service.stop();
});

interface OpenPage {
    readonly page: Page;
    readonly context: BrowserContext;
    readonly problems: string[];
}

async function open(width: number, colorScheme: "light" | "dark"): Promise<OpenPage> {
    const height = width < 600 ? 844 : 1000;
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
        if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) problems.push(request.url());
    });
    await page.goto(example.url);
    await page.getByText("12 of 24 homes").waitFor();
    return { page, context, problems };
}

async function checkAccessibility(page: Page): Promise<void> {
    // As text: the page's policy allows no script of another origin, and an evaluation is none.
    await page.evaluate(await readFile(AXE, "utf8"));
    const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
            axe: { run: () => Promise<{ violations: { id: string; nodes: unknown[] }[] }> };
        };
        return (await axe.run()).violations.map(({ id, nodes }) => [id, JSON.stringify(nodes)]);
    });
    expect(violations).toEqual([]);
}

async function take(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS === undefined || SCREENSHOTS === "") return;
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
}

/** Asks a question by the keyboard. */
async function ask(page: Page, message: string): Promise<void> {
    await page.getByLabel("Your question").fill(message);
    await page.keyboard.press("Enter");
    await page.getByText(`for “${message}”`).waitFor();
}

describe("the page", () => {
    test.each([
        [390, "light"],
        [390, "dark"],
        [1280, "light"],
        [1280, "dark"],
    ] as const)("at %d pixels, %s: accessible, within its width", async (width, scheme) => {
        const { page, context, problems } = await open(width, scheme);
        await take(page, `example-${width}-${scheme}`);
        await ask(page, "a home with a garden in Hackney under £1m");
        const card = page.locator("#homes > li").first();
        await card.getByRole("textbox").fill("quiet park");
        await card.getByRole("button", { name: "Find" }).click();
        await card.getByText(/\(park, \d+ m\)/).waitFor();
        await checkAccessibility(page);
        expect(await page.evaluate(OVERFLOW)).toBeLessThanOrEqual(0);
        await take(page, `example-${width}-${scheme}-answer`);
        expect(problems).toEqual([]);
        await context.close();
    });

    test("filters and shows more by the keyboard", async () => {
        const { page, context } = await open(1280, "light");
        await page.getByRole("button", { name: "Show more homes" }).press("Enter");
        await page.getByText("24 of 24 homes").waitFor();
        expect(await page.getByRole("button", { name: "Show more homes" }).isVisible()).toBe(false);
        expect(await page.evaluate("document.activeElement.tagName")).toBe("INPUT");
        await page.getByLabel("Area").selectOption("Peckham");
        await page.getByLabel("Bedrooms").selectOption("2");
        await page.getByRole("button", { name: "Show homes" }).press("Enter");
        await page.getByText(/^\d of \d homes$/).waitFor();
        const titles = await page.locator("#homes h3").allTextContents();
        expect(titles.every((title) => /two-bedroom .* in Peckham/i.test(title))).toBe(true);
        await context.close();
    });

    test("tells answers and errors to screen readers, and keeps the session", async () => {
        const { page, context } = await open(390, "light");
        await ask(page, "two-bedroom home in Hackney");
        await ask(page, "and in Peckham?");
        const answers = page.getByRole("log").locator(".answer");
        expect(await answers.last().textContent()).toContain("2 bedrooms, in Peckham");
        await page.route("**/api/chat", (route) => route.abort());
        await page.getByLabel("Your question").fill("a loft");
        await page.keyboard.press("Enter");
        await page.locator("#log .error").waitFor();
        expect(await page.locator("#log .error").textContent()).toMatch(/^Error: /);
        await context.close();
    });

    test("shows texts of listings and messages as text", async () => {
        const { page, context, problems } = await open(1280, "light");
        await ask(page, "<img src=x onerror=alert(1)> garden");
        expect(await page.locator("#log img").count()).toBe(0);
        expect(problems).toEqual([]);
        await context.close();
    });
});
