import { expect } from "@jest/globals";

import { read, type Answer, type Service } from "./service.ts";

export const ADMIN_TOKEN = "a-token-of-more-than-32-characters-for-tests";

export type AdminCall = (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Calls a service's admin port; objects are sent as JSON, strings and bytes unchanged. */
export function adminOf(service: Pick<Service, "adminUrl">): AdminCall {
    return async (method, path, body, headers = {}) => {
        const { adminUrl } = service;
        if (adminUrl === undefined) throw new Error("The service was started without ADMIN_TOKEN");
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

/** @param error its message, or other fields of it, in the service's format */
export function expectRefusal(
    answer: Answer,
    status: number,
    error: string | RegExp | object,
): void {
    const message = error instanceof RegExp ? expect.stringMatching(error) : error;
    const isMessage = typeof error === "string" || error instanceof RegExp;
    expect([answer.status, answer.json]).toMatchObject([
        status,
        { error: isMessage ? { message } : error },
    ]);
}
