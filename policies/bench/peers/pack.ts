import path from "node:path";
import { headline } from "../../core/message.ts";
import { objectsOf } from "../../core/object.ts";
import { advicesOf, failuresOf, run } from "../../core/run.ts";
import { RULES } from "../../rules/index.ts";
import type { Checker, Peer } from "../peer.ts";

const MAIN = path.resolve(import.meta.dirname, "../../main.ts");

const checker: Checker = {
    version: "",
    rules: RULES.length,
    check: (objects, policies) => {
        const result = run(RULES, policies, objects.flatMap(objectsOf));
        const reports = (fails: boolean, violations: ReturnType<typeof failuresOf>) =>
            violations.map((one) => ({ rule: one.rule.name, at: headline(one), fails }));
        return Promise.resolve([
            ...reports(true, failuresOf(result)),
            ...reports(false, advicesOf(result)),
        ]);
    },
    command: (file) => [process.execPath, MAIN, "check", file],
    close: () => undefined,
};

export const pack: Peer = {
    name: "this pack",
    open: () => Promise.resolve(checker),
};
