import { read, type Answer, type Service } from "./service.ts";

export const ADMIN_TOKEN = "a-token-of-more-than-32-characters-for-tests";

export type AdminCall = (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Calls a service's admin port; objects are sent as JSON, strings and bytes unchanged. */
export function adminOf({ adminUrl }: Pick<Service, "adminUrl">): AdminCall {
    if (adminUrl === undefined) throw new Error("This service was started without ADMIN_TOKEN");
    return async (method, path, body, headers = {}) => {
        const raw = typeof body === "string" || body instanceof Uint8Array;
        const type = raw || body === undefined ? {} : { "content-type": "application/json" };
        const response = await fetch(adminUrl + path, {
            method,
            headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...type, ...headers },
            ...(body === undefined ? {} : { body: raw ? Buffer.from(body) : JSON.stringify(body) }),
        });
        return read(response);
    };
}

/** The message of an error in the service's format. */
export function refusal({ json }: Answer): string {
    return (json as { error: { message: string } }).error.message;
}
