import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { AREAS } from "../data/areas.ts";
import type { Answer } from "../http/exchange.ts";

const read = (name: string): string =>
    readFileSync(path.join(import.meta.dirname, name), "utf8").trim();

/** The page in one document: the Gateway sends only `/` and `/api` here. Its policy allows this script and style alone. */
export function renderPage(): Answer {
    const style = `\n${read("style.css")}\n`;
    const script = `\n${stripTypes(read("main.ts"))}\n`;
    const options = AREAS.map(({ name }) => `<option>${name}</option>`).join("");
    const values = {
        STYLE: `<style>${style}</style>`,
        SCRIPT: `<script type="module">${script}</script>`,
        AREAS: options,
    };
    const body = read("index.html").replaceAll(
        /<!-- (STYLE|SCRIPT|AREAS) -->/g,
        (_, name: keyof typeof values) => values[name],
    );
    const policy = [
        "default-src 'none'",
        `script-src ${hashOf(script)}`,
        `style-src ${hashOf(style)}`,
        "img-src data:",
        "connect-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ].join("; ");
    return {
        type: "text/html; charset=utf-8",
        body,
        headers: { "content-security-policy": policy, "referrer-policy": "no-referrer" },
    };
}

function hashOf(text: string): string {
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** As Node does: there is no build step. */
function stripTypes(text: string): string {
    const emitWarning = process.emitWarning.bind(process);
    // Node warns that this function may change. Its version is pinned, and a test loads the page.
    process.emitWarning = () => undefined;
    try {
        return stripTypeScriptTypes(text);
    } finally {
        process.emitWarning = emitWarning;
    }
}
