import { createServer, type IncomingMessage, type Server } from "node:http";

/** An alert of a notification. */
export interface ReceivedAlert {
    /** Time of receipt, ISO 8601. */
    readonly received: string;
    readonly receiver: string;
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly startsAt: string;
    /** Alertmanager's zero time for a firing alert. */
    readonly endsAt: string;
}

/** The fields of Alertmanager's webhook payload that are used. */
interface Notification {
    readonly receiver: string;
    readonly alerts: readonly Omit<ReceivedAlert, "received" | "receiver">[];
}

const MAX_ALERTS = 1000;
const MAX_BYTES = 1024 * 1024;

/**
 * Creates a server with `POST /alerts` for Alertmanager, `GET /received` for the received alerts, oldest first, and
 * `GET /health` for probes.
 *
 * @param log receives one line per alert
 * @param maxAlerts number of alerts that are kept; older ones are discarded
 */
export function createReceiver(log: (line: string) => void, maxAlerts = MAX_ALERTS): Server {
    let received: ReceivedAlert[] = [];
    const store = (body: string): number => {
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
        received = [...received, ...fresh].slice(-maxAlerts);
        return 204;
    };
    return createServer((request, response) => {
        const respond = (status: number, value?: object) => {
            if (value === undefined) return response.writeHead(status).end();
            response.writeHead(status, { "content-type": "application/json" });
            return response.end(JSON.stringify(value));
        };
        switch (`${request.method ?? ""} ${request.url ?? ""}`) {
            case "GET /health":
                return respond(200, { kept: received.length });
            case "GET /received":
                return respond(200, received);
            case "POST /alerts":
                return void readBody(request)
                    .then(store)
                    .catch(() => 400)
                    .then(respond);
            default:
                return respond(404);
        }
    });
}

async function readBody(request: IncomingMessage): Promise<string> {
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
    const { status, labels, startsAt, endsAt } = value as Partial<
        Record<keyof ReceivedAlert, unknown>
    >;
    const texts = [status, startsAt, endsAt].every((one) => typeof one === "string");
    return texts && typeof labels === "object" && labels !== null;
}
