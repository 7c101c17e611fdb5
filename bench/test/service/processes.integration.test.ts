import { expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import path from "node:path";

import { eventually } from "../../../app/test/support/eventually.ts";
import { runToEnd } from "../../shared/runToEnd.ts";

const MODULE = path.resolve(import.meta.dirname, "../../service/processes/processes.ts");

test("processes of a benchmark that is killed end with it", async () => {
    const program = `import { createProcesses } from "${MODULE}";
        const { pid } = createProcesses().start("sleep", ["600"], { name: "sleep", core: 0 });
        process.stdout.write(String(pid), () => process.kill(process.pid, "SIGKILL"));`;
    const { status, stdout } = await runToEnd(process.execPath, ["--eval", program], {
        env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect([status, stdout]).toEqual(["SIGKILL", expect.stringMatching(/^\d+$/)]);
    await eventually("the process ends", () => !existsSync(`/proc/${stdout}`));
});
