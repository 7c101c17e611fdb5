import { Type } from "typebox";
import { containerRule, stackRule } from "../../engine/rule.ts";

const ABOUT = {
    why: "Otherwise it would not be tested.",
    severity: "low",
    level: "mandatory",
    url: "https://example.org",
} as const;

/** Demands a budget for every Deployment, which only the whole stack shows. */
export const budget = stackRule({
    ...ABOUT,
    name: "budget",
    title: "Every Deployment has a budget.",
    kinds: ["Deployment"],
    *check({ name }, stack) {
        if (stack.ofKind("PodDisruptionBudget").some((one) => one.name === name)) return;
        yield { message: "has no budget", path: "", fix: "a PodDisruptionBudget" };
    },
});

/** Requires a working directory, with remediation. */
export const workingDir = containerRule({
    ...ABOUT,
    name: "working-dir",
    title: "Every container works in a folder of its own.",
    settings: { folder: Type.String({ default: "/work", description: "where it works" }) },
    *check({ spec }) {
        if (spec.workingDir === undefined)
            yield { message: "works in /", path: "workingDir", fix: "" };
    },
    remediate({ containers }, { folder }) {
        for (const { spec } of containers) {
            spec.workingDir ??= folder;
            spec.env ??= [];
            if (!spec.env.some(({ name }) => name === "HOME")) {
                spec.env.push({ name: "HOME", value: folder });
            }
        }
    },
});
