import { UserError } from "@property-search/contract";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

import { SCHEMA, STEPS, type Evidence, type StepName } from "./criteria.ts";

/** Evidence that is older is measured again. */
const MAX_AGE_HOURS = 6;

export interface Store {
    readonly folder: string;
    /** Whether evidence is of this commit and mode, and neither too old nor of a clock that was ahead. */
    readonly isCurrent: (evidence: Evidence) => boolean;
    /** Current evidence of a step that ran and lacks nothing, so that an interrupted run resumes. */
    readonly readUsable: (step: StepName) => Evidence | undefined;
    /** The newest evidence of each step, whatever its commit. */
    readonly readAll: () => ReadonlyMap<StepName, Evidence>;
    readonly write: (evidence: Evidence) => void;
    readonly writeText: (name: string, text: string) => void;
}

export function createStore(folder: string, run: Pick<Evidence, "commit" | "quick">): Store {
    mkdirSync(folder, { recursive: true });
    /** Evidence of another version of the format does not count. */
    const read = (step: StepName): Evidence | undefined => {
        const file = path.join(folder, `${step}.json`);
        if (!existsSync(file)) return undefined;
        const evidence = parse(file);
        const { schema }: { schema: string } = evidence;
        return schema === SCHEMA ? evidence : undefined;
    };
    const writeText = (name: string, text: string): void => {
        const file = path.join(folder, name);
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
    };
    const isCurrent = ({ commit, quick, begun }: Evidence): boolean => {
        const hours = (Date.now() - Date.parse(begun)) / 3_600_000;
        return commit === run.commit && quick === run.quick && hours >= 0 && hours < MAX_AGE_HOURS;
    };
    return {
        folder,
        isCurrent,
        readUsable: (step) => {
            const known = read(step);
            if (!known || known.failure !== undefined || !isCurrent(known)) return undefined;
            const findings = Object.values(known.findings);
            return findings.some(({ verdict }) => verdict === "not measured") ? undefined : known;
        },
        readAll: () =>
            new Map(
                STEPS.flatMap((step) => {
                    const known = read(step);
                    return known ? [[step, known] as const] : [];
                }),
            ),
        write: (evidence) => {
            writeText(`${evidence.step}.json`, `${JSON.stringify(evidence, undefined, 2)}\n`);
        },
        writeText,
    };
}

function parse(file: string): Evidence {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Evidence;
    } catch (error) {
        throw new UserError(`${file} is no evidence: ${String(error)}; remove it to measure again`);
    }
}
