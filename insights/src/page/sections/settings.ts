import type { ImpactView, SettingOfView } from "../../impact/view.ts";
import { formatCount, formatSpan } from "../../report/format.ts";
import { element, table } from "../elements.ts";
import { formatInstant } from "../words.ts";
import { capitalize, type SectionContent } from "./content.ts";

export const settings: SectionContent = {
    title: "Settings that are tuned",
    intro: () =>
        "Their defaults are those of the stack. Operators and the tuner change them while the service runs; the tuner reverts changes that did not save what it had predicted.",
    more: (view) => [...inForce(view), ...latestDecisions(view)],
};

const NAMES: Readonly<Record<string, string>> = {
    cacheTtlSeconds: "Lifetime of entries",
    localCacheMaxEntries: "Entries in the memory of a pod",
};

const SOURCES: Readonly<Record<string, string>> = {
    config: "default",
    tuned: "tuned",
    control: "experiment, control",
    treatment: "experiment, treatment",
};

const nameOf = (setting: string) => NAMES[setting] ?? setting;

const format = (setting: string, value: number | null): string =>
    value === null || !setting.endsWith("Seconds") ? formatCount(value) : formatSpan(value);

function inForce({ settings: all }: ImpactView): readonly HTMLElement[] {
    if (all.length === 0) return [element("p", {}, "No pod exports its settings now.")];
    return [
        table({
            caption: "In force now",
            columns: ["Setting", "In force", "Default", "Changed", "Why"],
            rows: all.map((one) => [
                nameOf(one.setting),
                one.inForce.map((value) => describeValue(one.setting, value)).join("; "),
                format(one.setting, one.default),
                ...describeChange(one),
            ]),
            textColumns: [0, 1, 2, 3, 4],
        }),
    ];
}

function describeValue(
    setting: string,
    { source, lowest, highest }: SettingOfView["inForce"][number],
): string {
    const [low, high] = [format(setting, lowest), format(setting, highest)];
    return `${low === high ? low : `${low} to ${high}`} (${SOURCES[source] ?? source})`;
}

/** When and why the value in force was set, as far as the tuner's record knows. */
function describeChange({ setting, inForce: values, tuner }: SettingOfView): [string, string] {
    const isTuned = values.some(({ source }) => source === "tuned");
    const { changed } = tuner;
    if (!isTuned) return ["", "The default is in force"];
    const isTuners = values.every(({ highest }) => highest === changed?.to);
    if (changed === null || !isTuners)
        return ["", "Set by an operator (GET /settings has the reason)"];
    const { at, from, reason, status, outcome } = changed;
    const result = outcome === null ? status : `${status}: ${outcome}`;
    return [
        formatInstant(at),
        `${capitalize(reason)}. Before: ${format(setting, from)}. ${capitalize(result)}`,
    ];
}

function latestDecisions({ settings: all }: ImpactView): readonly HTMLElement[] {
    const rows = all.flatMap(({ setting, tuner: { latest } }) =>
        latest === null
            ? []
            : [
                  [
                      nameOf(setting),
                      formatInstant(latest.at),
                      latest.action,
                      capitalize(latest.reason),
                  ],
              ],
    );
    if (rows.length === 0) return [element("p", {}, "The tuner has not run yet.")];
    return [
        table({
            caption: "Latest decisions of the tuner",
            columns: ["Setting", "When", "Decision", "Why"],
            rows,
            textColumns: [0, 1, 2, 3],
        }),
    ];
}
