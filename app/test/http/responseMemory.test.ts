import { describe, expect, test } from "@jest/globals";

import { createResponseMemory } from "../../src/http/handler/responseMemory.ts";
import { trackUnread, MAX_BYTES_UNREAD } from "../../src/http/transport/unreadResponses.ts";

describe("Responses", () => {
    test("in progress wait for memory, tenants in turn, or end in a 503 at their deadline", async () => {
        const room = createResponseMemory(100);
        const entered: string[] = [];
        const enter = (tenant: string, bytes: number, milliseconds = 60_000) => {
            const promise = room.reserve({ tenant }, bytes, performance.now() + milliseconds);
            promise.then(
                () => entered.push(tenant),
                () => undefined,
            );
            return promise;
        };
        const first = await enter("bulk", 60);
        const bulk = Array.from({ length: 3 }, () => enter("bulk", 60));
        const others = [...bulk, enter("small", 10)];
        const late = enter("late", 100, 20);
        await expect(late).rejects.toMatchObject({ status: 503, code: "overloaded" });
        expect(entered).toEqual(["bulk"]);
        first.release();
        for (const other of others) (await other).release();
        expect(entered).toEqual(["bulk", "bulk", "bulk", "small", "bulk"]);
        // A larger one gets all of the memory.
        (await enter("huge", 1_000)).release();
    });

    test("that are not read are bounded: the connection of the oldest is closed", () => {
        const closed: number[] = [];
        const trackers = [0, 1, 2, 3].map((at) =>
            trackUnread(0.4 * MAX_BYTES_UNREAD, () => closed.push(at)),
        );
        expect(closed).toEqual([0, 1]);
        trackers[2]?.();
        trackers.push(trackUnread(2 * MAX_BYTES_UNREAD, () => closed.push(4)));
        expect(closed).toEqual([0, 1, 3]);
        for (const read of trackers) read();
        const last = trackUnread(MAX_BYTES_UNREAD, () => closed.push(5));
        last();
        expect(closed).toEqual([0, 1, 3]);
    });
});
