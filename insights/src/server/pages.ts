import { MODULES } from "./assets.ts";
import { escape } from "../report/html.ts";
import { RANGES } from "../impact/view.ts";

/** Scripts and styles come from this server alone; nothing is inline. */
export const PAGE_POLICY = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
].join("; ");

/** Reports carry their styles, so that they can be sent by mail. */
export const REPORT_POLICY =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const head = (title: string, rest = "") => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/impact/assets/page/style.css">
${rest}</head>
`;

const TITLE = "What the embedding cache earns";

/** @param message why the login is needed again, or failed */
export function loginPage(message = ""): string {
    return `${head(`Log in – ${TITLE}`)}<body class="login">
<main>
<h1>${TITLE}</h1>
<form method="post" action="/impact/login">
<label for="token">Access token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="token-help${message === "" ? "" : " token-error"}">
<p id="token-help" class="note">The command <code>make impact</code> prints the token of the stack that it is called for.</p>
${message === "" ? "" : `<p id="token-error" class="error" role="alert">${escape(message)}</p>`}
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
`;
}

/** The frame of the page; its script fills it. */
export const impactPage = (): string => `${head(
    TITLE,
    `<link rel="stylesheet" href="/impact/assets/uplot.css">
${MODULES.map((name) => `<link rel="modulepreload" href="/impact/assets/${name}">`).join("\n")}
<script type="module" src="/impact/assets/page/main.ts"></script>
`,
)}<body>
<a class="skip" href="#content">Skip to the figures</a>
<header>
<div class="bar">
<p class="product">Embedding cache</p>
<form method="post" action="/impact/logout"><button type="submit" class="quiet">Log out</button></form>
</div>
</header>
<main id="content" tabindex="-1">
<h1>${TITLE}</h1>
<div class="controls">
<fieldset class="ranges" id="ranges">
<legend class="hidden">Time range</legend>
${Object.entries(RANGES)
    .map(
        ([name, { words }]) =>
            `<label title="${words}"><input type="radio" name="range" value="${name}"${name === "24h" ? " checked" : ""}><span>${name === "365d" ? "1 year" : name}<span class="hidden"> (${words})</span></span></label>`,
    )
    .join("\n")}
</fieldset>
<p id="status" class="status"><span role="status">Loading…</span><span></span></p>
<button type="button" id="pause" class="quiet" aria-pressed="false">Pause updates</button>
<a id="csv" class="button" href="/impact/api/impact.csv?range=24h" download aria-label="Download the figures as CSV">CSV</a>
<a id="json" class="button" href="/impact/api/impact.json?range=24h" download aria-label="Download the figures as JSON">JSON</a>
</div>
<noscript><p class="error">This page needs JavaScript. The figures are also at <a href="/impact/api/impact">/impact/api/impact</a>, and the daily reports at <a href="/impact/api/reports">/impact/api/reports</a>.</p></noscript>
<div id="sections"></div>
</main>
</body>
</html>
`;
