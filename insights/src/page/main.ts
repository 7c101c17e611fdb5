import { RANGES, type ImpactView, type RangeName } from "../impact/view.ts";
import { byId } from "./elements.ts";
import { createSections } from "./sections.ts";
import type { Archive } from "./sections/content.ts";
import { formatClock } from "./words.ts";

const REFRESH_MILLISECONDS = 15_000;
/** Reports come once a day. */
const ARCHIVE_MILLISECONDS = 300_000;

const status = byId("status");
const pause = byId("pause");
const ranges = byId("ranges");
const sections = createSections(byId("sections"));

let range: RangeName = "24h";
let isChosen = false;
let isPaused = false;
/** Number of the latest request: an answer to an earlier one comes too late. */
let latest = 0;
let archive: { readonly readAt: number; readonly content: Archive } | undefined;

async function read<Type>(path: string): Promise<Type> {
    const response = await fetch(`/impact/api/${path}`, {
        headers: { accept: "application/json" },
    });
    // The session has ended: the page becomes the login form.
    if (response.status === 401) location.reload();
    if (!response.ok) throw new Error(`The server responded with ${response.status}`);
    return (await response.json()) as Type;
}

async function refresh(): Promise<void> {
    latest += 1;
    const request = latest;
    try {
        const view = await read<ImpactView>(`impact?range=${range}`);
        if (archive === undefined || Date.now() - archive.readAt > ARCHIVE_MILLISECONDS) {
            const [{ reports }, { months }] = await Promise.all([
                read<Pick<Archive, "reports">>("reports"),
                read<Pick<Archive, "months">>("months"),
            ]);
            archive = { readAt: Date.now(), content: { reports, months } };
        }
        if (request !== latest) return;
        const better = isChosen ? range : rangeFor(view);
        if (better !== range) {
            choose(better);
            return;
        }
        sections.update(view, archive.content);
        showStatus(isPaused ? "Paused" : "Live", view);
    } catch (error) {
        if (request === latest) showStatus(`Not updated: ${(error as Error).message}`);
    }
}

/** The shortest range that shows everything, until there is a day of it. */
function rangeFor({ toDate, range: { name } }: ImpactView): RangeName {
    if (name !== "24h" || toDate.state === "not measured") return name;
    const seconds = (Date.parse(toDate.to) - Date.parse(toDate.from)) / 1000;
    if (seconds < RANGES["1h"].seconds) return "1h";
    return seconds < RANGES["6h"].seconds ? "6h" : name;
}

/** Readers with a screen reader hear a change of the state, but not each update. */
function showStatus(words: string, view?: ImpactView): void {
    const [word, time] = [...status.children];
    const detail =
        view === undefined ? "" : ` · updated ${formatClock(Date.parse(view.generatedAt) / 1000)}`;
    if (word && time) {
        if (word.textContent !== words) word.textContent = words;
        time.textContent = detail;
    }
    status.dataset.state = words === "Live" || words === "Paused" ? words.toLowerCase() : "failed";
}

function choose(next: RangeName): void {
    range = next;
    for (const input of ranges.querySelectorAll("input")) input.checked = input.value === next;
    byId("csv").setAttribute("href", `/impact/api/impact.csv?range=${next}`);
    byId("json").setAttribute("href", `/impact/api/impact.json?range=${next}`);
    void refresh();
}

ranges.addEventListener("change", (event) => {
    isChosen = true;
    choose((event.target as HTMLInputElement).value as RangeName);
});
pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume updates" : "Pause updates";
    void refresh();
});
document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !isPaused) void refresh();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", sections.redraw);
setInterval(() => {
    if (!document.hidden && !isPaused) void refresh();
}, REFRESH_MILLISECONDS);
void refresh();
