interface Home {
    readonly id: string;
    readonly title: string;
    readonly description: string;
    readonly area: string;
    readonly postcode: string;
    readonly bedrooms: number;
    readonly floorAreaSquareMetres: number;
    readonly pricePounds: number;
}

interface Place {
    readonly name: string;
    readonly kind: string;
    readonly description: string;
    readonly distanceMetres: number;
}

const PAGE_SIZE = 12;
// crypto.randomUUID is missing on pages without HTTPS.
const sessionId = crypto.getRandomValues(new Uint32Array(4)).join("-");

const homes = find(HTMLUListElement, "homes");
const status = find(HTMLElement, "status");
const more = find(HTMLButtonElement, "more");
const log = find(HTMLElement, "log");
const filter = find(HTMLFormElement, "filter");
const ask = find(HTMLFormElement, "ask");
let shown = 0;

function find<T extends HTMLElement>(kind: new () => T, id: string): T {
    const element = document.getElementById(id);
    if (!(element instanceof kind)) throw new Error(`the page has no ${id}`);
    return element;
}

/** An element with a text or children; texts are never parsed as HTML. */
function create<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes: Readonly<Record<string, string>>,
    ...children: readonly (string | Node)[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
}

async function call<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(path, {
        ...(body !== undefined && {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        }),
    });
    const answer = (await response.json()) as T & { readonly error?: { readonly message: string } };
    if (!response.ok) throw new Error(answer.error?.message ?? `status ${response.status}`);
    return answer;
}

/** Disables the button of a form while its work is in progress, and shows its error. */
async function run(
    button: HTMLButtonElement | null,
    onError: (message: string) => void,
    work: () => Promise<void>,
): Promise<void> {
    if (button?.getAttribute("aria-busy") === "true") return;
    button?.setAttribute("aria-busy", "true");
    try {
        await work();
    } catch (error) {
        onError(error instanceof Error ? error.message : String(error));
    } finally {
        button?.removeAttribute("aria-busy");
    }
}

function formatPounds(pounds: number): string {
    return `£${pounds.toLocaleString("en-GB")}`;
}

function createCard(home: Home): HTMLLIElement {
    const { id, title, description, postcode, bedrooms } = home;
    const rooms =
        bedrooms === 0 ? "Studio" : `${bedrooms} ${bedrooms === 1 ? "bedroom" : "bedrooms"}`;
    const facts = [rooms, `${home.floorAreaSquareMetres} m²`, `${home.area} ${postcode}`, id];
    return create(
        "li",
        {},
        create("h3", { id: `title-${id}` }, title),
        create("p", { class: "price" }, formatPounds(home.pricePounds)),
        create("p", { class: "facts" }, facts.join(" · ")),
        create("p", {}, description),
        createNearby(id),
    );
}

/** The search for places near a home. */
function createNearby(id: string): HTMLElement {
    const input = create("input", {
        id: `near-${id}`,
        maxlength: "500",
        required: "",
        placeholder: "quiet park",
        autocomplete: "off",
    });
    const button = create("button", { class: "quiet" }, "Find");
    const result = create("div", { role: "status" });
    const label = create(
        "label",
        { for: `near-${id}` },
        "What is nearby?",
        create("span", { class: "hidden" }, ` Home ${id}`),
    );
    const form = create("form", {}, label, create("div", { class: "row" }, input, button));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        const fail = (message: string) =>
            result.replaceChildren(create("p", { class: "error" }, message));
        void run(button, fail, async () => {
            const { pois } = await call<{ readonly pois: readonly Place[] }>(
                `/api/properties/${id}/pois`,
                { query: input.value, limit: 3 },
            );
            const items = pois.map(({ name, kind, description: about, distanceMetres }) =>
                create(
                    "li",
                    {},
                    create("strong", {}, name),
                    ` (${kind}, ${distanceMetres} m). ${about}`,
                ),
            );
            result.replaceChildren(
                items.length > 0
                    ? create("ul", {}, ...items)
                    : create("p", {}, "Nothing within 1.5 km."),
            );
        });
    });
    return create("div", { class: "nearby" }, form, result);
}

async function showFiltered(offset: number): Promise<void> {
    const query = new URLSearchParams({ limit: `${PAGE_SIZE}`, offset: `${offset}` });
    for (const [name, value] of new FormData(filter)) {
        if (typeof value === "string" && value !== "") query.set(name, value);
    }
    const { properties, total } = await call<{
        readonly properties: readonly Home[];
        readonly total: number;
    }>(`/api/properties?${query}`);
    if (offset === 0) homes.replaceChildren();
    homes.append(...properties.map(createCard));
    shown = offset + properties.length;
    status.textContent = total === 0 ? "No home matches." : `${shown} of ${total} homes`;
    more.hidden = shown >= total;
}

const failStatus = (message: string): void => {
    status.textContent = `Homes cannot be shown: ${message}`;
};

filter.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(filter.querySelector("button"), failStatus, () => showFiltered(0));
});
more.addEventListener("click", () => {
    void run(more, failStatus, async () => {
        const next = shown;
        await showFiltered(next);
        // The button may be gone: the focus moves to the first new home.
        homes.children[next]?.querySelector("input")?.focus();
    });
});
ask.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = find(HTMLInputElement, "message");
    const say = (name: "question" | "answer" | "answer error", who: string, text: string) => {
        const speaker = create("span", { class: "hidden" }, `${who}: `);
        log.append(create("p", { class: name }, speaker, text));
        log.scrollTop = log.scrollHeight;
    };
    const fail = (message: string) => say("answer error", "Error", message);
    void run(ask.querySelector("button"), fail, async () => {
        const message = input.value.trim();
        if (message === "") return;
        say("question", "You", message);
        input.value = "";
        const { answer, properties } = await call<{
            readonly answer: string;
            readonly properties: readonly Home[];
        }>("/api/chat", { message, sessionId });
        say("answer", "Answer", answer);
        homes.replaceChildren(...properties.map(createCard));
        status.textContent = `${properties.length} homes for “${message}”`;
        more.hidden = true;
    });
});

void run(null, failStatus, () => showFiltered(0));
