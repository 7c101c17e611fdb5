import type { ImpactView } from "../../impact/view.ts";
import { element, table } from "../elements.ts";
import { formatInstant } from "../words.ts";
import { capitalize, MAX_LISTED, type SectionContent } from "./content.ts";

export const unknown: SectionContent = {
    title: "What is not known",
    intro: () => "These figures are unknown, not zero.",
    more: (view) => unknownTables(view),
};

function unknownTables({ gaps, gapsLeftOut, notMeasured }: ImpactView): readonly HTMLElement[] {
    const listed = gaps.toReversed().slice(0, MAX_LISTED);
    const more = gapsLeftOut + gaps.length - listed.length;
    return [
        table({
            caption: "Not measured",
            columns: ["Figure", "Why"],
            rows: notMeasured.map(({ figure: name, reason }) => [name, capitalize(reason)]),
            textColumns: [0, 1],
        }),
        gaps.length === 0
            ? element("p", {}, "No gaps in the data of this time.")
            : table({
                  caption: `Times without data, latest first${more > 0 ? ` (${more} more in the JSON)` : ""}`,
                  columns: ["From", "To", "Of", "Why"],
                  rows: listed.map(({ from, to, pod, reason }) => [
                      formatInstant(from),
                      formatInstant(to),
                      pod ?? "all pods",
                      capitalize(reason),
                  ]),
                  textColumns: [0, 1, 2, 3],
              }),
    ];
}
