import { createServer, type IncomingMessage, type Server } from "node:http";

/** One alert of one notification. */
export interface Received {
    /** When it came, ISO 8601. */
    readonly received: string;
    readonly receiver: string;
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly startsAt: string;
    /** Of an alert that fires, Alertmanager's zero time. */
    readonly endsAt: string;
}

/** As Alertmanager sends it, as far as it is read here. */
interface Notification {
    readonly receiver: string;
    readonly alerts: readonly Omit<Received, "received" | "receiver">[];
}

const KEPT = 1000;
const MAX_BYTES = 1024 * 1024;

/**
 * A server with `POST /alerts` for Alertmanager, `GET /received` for whoever asks what came, oldest
 * first, and `GET /health` for probes.
 *
 * @param log gets one line for each alert.
 * @param kept how many alerts are kept; older ones go.
 */
export function createInbox(log: (line: string) => void, kept = KEPT): Server {
    let received: Received[] = [];
    const take = (body: string): number => {
        const notification: unknown = JSON.parse(body);
        if (!isNotification(notification)) return 422;
        const now = new Date().toISOString();
        const { receiver, alerts } = notification;
        const fresh = alerts.map(({ status, labels, startsAt, endsAt }) => ({
            received: now,
            receiver,
            status,
            labels,
            startsAt,
            endsAt,
        }));
        fresh.forEach((one) => {
            log(JSON.stringify(one));
        });
        received = [...received, ...fresh].slice(-kept);
        return 204;
    };
    return createServer((request, response) => {
        const end = (status: number, value?: object) => {
            if (value === undefined) return response.writeHead(status).end();
            response.writeHead(status, { "content-type": "application/json" });
            return response.end(JSON.stringify(value));
        };
        switch (`${request.method ?? ""} ${request.url ?? ""}`) {
            case "GET /health":
                return end(200, { kept: received.length });
            case "GET /received":
                return end(200, received);
            case "POST /alerts":
                return void bodyOf(request)
                    .then(take)
                    .catch(() => 400)
                    .then(end);
            default:
                return end(404);
        }
    });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
        bytes += part.length;
        if (bytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
        parts.push(part);
    }
    return Buffer.concat(parts).toString("utf8");
}

function isNotification(value: unknown): value is Notification {
    if (typeof value !== "object" || value === null) return false;
    const { receiver, alerts } = value as Partial<Record<keyof Notification, unknown>>;
    return typeof receiver === "string" && Array.isArray(alerts) && alerts.every(isAlert);
}

function isAlert(value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const { status, labels, startsAt, endsAt } = value as Partial<Record<keyof Received, unknown>>;
    const texts = [status, startsAt, endsAt].every((one) => typeof one === "string");
    return texts && typeof labels === "object" && labels !== null;
}
