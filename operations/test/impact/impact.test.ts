import { afterEach, describe, expect, test } from "@jest/globals";
import type { Cluster } from "../../cluster/connect.ts";
import { verifyPage } from "../../deploy/verify.ts";
import type { Send } from "../../gateway/connection.ts";
import { showImpactPage } from "../../impact/impact.ts";
import { startForwarding, type Forwarding } from "../support/forwarding.ts";

const TOKEN = "token-of-the-page";
const GATEWAY = {
    metadata: { annotations: { "property-search.io/public-url": "http://HOST:8080" } },
    spec: { listeners: [{ port: 8080, protocol: "HTTP" }] },
    status: { addresses: [{ value: "10.89.0.2" }] },
};
const SECRET = { data: { "access-token": Buffer.from(TOKEN).toString("base64") } };
const POD = {
    metadata: { name: "insights-0" },
    spec: { containers: [{ ports: [{ name: "http", containerPort: 8090 }] }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};

let forwarding: Forwarding | undefined;

afterEach(() => {
    forwarding?.close();
    forwarding = undefined;
});

/** A cluster with these objects by kind; the others are those of `behind`, or none. */
function clusterWith(objects: Readonly<Record<string, object>>, behind?: Cluster): Cluster {
    const none = () => Promise.reject(Object.assign(new Error("none"), { code: 404 }));
    const read = (reference: { kind?: string }) => {
        const found = objects[reference.kind ?? ""];
        if (found) return Promise.resolve(found);
        return behind && reference.kind !== "HTTPRoute"
            ? behind.objects.read(reference as never)
            : none();
    };
    const list = (...args: never[]) =>
        (behind?.objects.list as (...args: never[]) => unknown)(...args);
    return { ...behind, context: "c", objects: { read, list } } as unknown as Cluster;
}

const lines: string[] = [];
const print = (line: string) => void lines.push(line);

test("a page that the Gateway serves is named with its URL and token, and no port is forwarded", async () => {
    lines.length = 0;
    const cluster = clusterWith({ Secret: SECRET, HTTPRoute: {}, Gateway: GATEWAY });
    await showImpactPage(cluster, { print, signal: new AbortController().signal });
    expect(lines).toEqual([`Open http://10.89.0.2:8080/impact\nLog in with the token ${TOKEN}`]);
});

test("another page is forwarded until the command is interrupted", async () => {
    lines.length = 0;
    forwarding = await startForwarding();
    forwarding.service = { spec: { selector: {}, ports: [{ port: 8090, targetPort: "http" }] } };
    forwarding.pods = [POD];
    forwarding.answer = "HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\npage";
    const interruption = new AbortController();
    const printed = Promise.withResolvers<undefined>();
    const shown = showImpactPage(clusterWith({ Secret: SECRET }, forwarding.cluster), {
        print: (line) => {
            print(line);
            if (lines.length === 2) printed.resolve(undefined);
        },
        signal: interruption.signal,
    });
    await Promise.race([printed.promise, shown]);
    const [, url = ""] = /^Open (http:\/\/127\.0\.0\.1:\d+\/impact)\n/.exec(lines[0] ?? "") ?? [];
    expect(await (await fetch(url)).text()).toBe("page");
    expect(forwarding.requests).toEqual(["insights-0:8090 GET /impact HTTP/1.1"]);
    interruption.abort();
    await shown;
    await expect(fetch(url)).rejects.toThrow();
});

test("a stack without insights gets an error that says how to enable them", async () => {
    await expect(
        showImpactPage(clusterWith({}), { print, signal: new AbortController().signal }),
    ).rejects.toThrow("c has no insights: set insights.enabled and insights.image, and deploy");
});

describe("verification of a page that the Gateway serves", () => {
    const statuses = (known: readonly number[], unknown: number): Send => {
        const left = [...known];
        return (_, init) => {
            const status = init?.headers === undefined ? unknown : (left.shift() ?? 200);
            return Promise.resolve(new Response("{}", { status }));
        };
    };
    const check = (known: readonly number[], unknown: number, signal?: AbortSignal) =>
        verifyPage(statuses(known, unknown), "http://g/impact", TOKEN, signal);

    test("passes if the token is needed and accepted, once the route is in force", async () => {
        await check([200], 401);
        await check([404, 200], 401);
    });

    test("fails if it is served without the token", async () => {
        await expect(check([200], 200)).rejects.toThrow(
            "http://g/impact/api/reports responded with 200 without the access token, not 401",
        );
    });

    test("ends with the command", async () => {
        const interrupted = AbortSignal.abort(new Error("interrupted"));
        await expect(check([503, 503], 401, interrupted)).rejects.toThrow(/abort/i);
    });
});
