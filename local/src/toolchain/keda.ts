import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { digest } from "../content.ts";
import { REPOSITORY } from "../paths.ts";
import { LocalError } from "../shell.ts";
import type { Replacement } from "./go.ts";

export const KEDA_MODULE = "github.com/kedacore/keda/v2";
/** The version whose files are known here; another one needs a look at each rule below. */
export const KEDA_VERSION = "v2.20.2";

/** Trigger types of the stack's ScaledObjects. KEDA's other seventy bring the SDKs of clouds and databases. */
const TRIGGERS = ["prometheus", "cpu", "memory"] as const;

/** Files that replace or extend KEDA's. */
const REPLACING = path.join(REPOSITORY, "local/toolchain/cluster/_keda");

const FACTORY = "pkg/scaling/scalers_builder.go";

/** First matching rule decides; of a folder only Go files count, and no tests. */
const RULES: readonly (readonly [pattern: RegExp, isKept: boolean])[] = [
    [/^go\.mod$/, true],
    [/_test\.go$|^pkg\/mock\/|^cmd\/webhooks\//, false],
    [/^pkg\/scalers\/(scaler|prometheus_scaler|cpu_memory_scaler)\.go$/, true],
    [/^pkg\/scalers\/(authentication|scalersconfig)\//, true],
    [/^pkg\/scalers\//, false],
    [/^pkg\/scaling\/resolver\/.*_handler\.go$/, false],
    [/^(apis|cmd|controllers|pkg|version)\/.*\.go$/, true],
];

/** @param file path inside of KEDA's module. */
export function isKept(file: string): boolean {
    return RULES.find(([pattern]) => pattern.test(file))?.[1] ?? false;
}

/**
 * KEDA's scaler factory with some trigger types alone.
 *
 * @throws LocalError when the factory has none of a type: its source is another one than was known.
 */
export function keepTriggers(factory: string, types: readonly string[]): string {
    const found = new Set<string>();
    const kept = factory.replaceAll(
        /^\t(?:\/\/.*\n\t)?case "([^"]+)":\n\t\treturn .*\n/gm,
        (text, type: string) => {
            if (!types.includes(type)) return "";
            found.add(type);
            return text;
        },
    );
    const missing = types.filter((type) => !found.has(type));
    if (missing.length === 0) return kept;
    throw new LocalError(
        `KEDA's ${FACTORY} has no trigger ${missing.join(", ")}: ` +
            "local/src/toolchain/keda.ts was written for another version",
    );
}

/** KEDA with what the stack uses of it. */
export const trimmedKeda: Replacement = {
    module: KEDA_MODULE,
    key: async () => digest(await readFile(import.meta.filename)),
    write: async (original, folder) => {
        if (path.basename(original) !== `v2@${KEDA_VERSION}`) {
            throw new LocalError(
                `local/toolchain/cluster/go.mod pins KEDA ${path.basename(original)}; ` +
                    `local/src/toolchain/keda.ts knows ${KEDA_VERSION}`,
            );
        }
        for (const file of await readdir(original, { recursive: true })) {
            if (!isKept(file)) continue;
            const text = await readFile(path.join(original, file), "utf8");
            const target = path.join(folder, file);
            await mkdir(path.dirname(target), { recursive: true });
            await writeFile(target, file === FACTORY ? keepTriggers(text, TRIGGERS) : text);
        }
        await cp(REPLACING, folder, { recursive: true });
    },
};
