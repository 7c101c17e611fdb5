import { expect, test } from "@jest/globals";
import { hostname } from "node:os";
import { createHolderId, hasExited } from "../../release/commands/driver.ts";
import { processStart } from "../../stack/processes.ts";

const { pid } = process;

test("a driver has exited if its process has, even if another has its id", () => {
    const holder = (id: number, start = "") => `ann@${hostname()}/${id}-${start}-9c3b6e10`;
    expect(hasExited(createHolderId())).toBe(false);
    expect(hasExited(holder(pid, processStart(pid)))).toBe(false);
    expect(hasExited(holder(pid, "5f1c02aa-1"))).toBe(true);
    expect(hasExited(holder(2 ** 22 + 1))).toBe(true);
});

test.each(["", "ann@another-machine/1--9c3b6e10", `ann@${hostname()}`, `ann@${hostname()}/x-1-2`])(
    "%j is not known to have exited",
    (holder) => {
        expect(hasExited(holder)).toBe(false);
    },
);
