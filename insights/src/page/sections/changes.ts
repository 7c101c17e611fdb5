import type { ImpactView } from "../../impact/view.ts";
import { formatCount, formatPercent } from "../../report/format.ts";
import { element, table } from "../elements.ts";
import { formatInstant, plural } from "../words.ts";
import { linesOf, MAX_LISTED, type SectionContent } from "./content.ts";

export const changes: SectionContent = {
    title: "Releases and changes",
    needsData: true,
    plots: [
        (view) => ({
            title: "Which version served",
            note: "Share of the requests",
            lines: linesOf(view.series.versions),
            format: formatPercent,
            isStacked: true,
            max: 1,
        }),
    ],
    more: (view) => [...versionTable(view), eventTable(view)],
};

function versionTable({ versions }: ImpactView): readonly HTMLElement[] {
    if (versions.length === 0) return [];
    return [
        table({
            caption: "Versions that answered requests",
            columns: ["Version", "Colour", "Requests", "Share", "From", "To"],
            rows: versions.map(({ version, colour, requests, share, firstServed, lastServed }) => [
                version,
                colour,
                formatCount(requests),
                formatPercent(share),
                formatInstant(firstServed),
                formatInstant(lastServed),
            ]),
            textColumns: [0, 1],
        }),
    ];
}

const KINDS: Readonly<Record<string, string>> = {
    release: "Release",
    scaling: "Scaling",
    experiment: "Experiment",
    tuning: "Tuning",
};

function eventTable({ events, eventsLeftOut }: ImpactView): HTMLElement {
    if (events.length === 0) {
        return element("p", {}, "No release, scaling, experiment or tuning in this time.");
    }
    const latest = events.toReversed();
    const rowsOf = (some: typeof latest) =>
        some.map(({ at, kind, text }) => [formatInstant(at), KINDS[kind] ?? kind, text]);
    const list = (caption: string, some: typeof latest) =>
        table({
            caption,
            columns: ["When", "Kind", "What"],
            rows: rowsOf(some),
            textColumns: [0, 1, 2],
        });
    const earlier = latest.slice(MAX_LISTED);
    return element(
        "div",
        {},
        list("What changed, latest first", latest.slice(0, MAX_LISTED)),
        earlier.length === 0
            ? undefined
            : element(
                  "details",
                  {},
                  element("summary", {}, `Show ${plural(earlier.length, "earlier change")}`),
                  list("Earlier changes", earlier),
              ),
        eventsLeftOut === 0
            ? undefined
            : element(
                  "p",
                  { class: "note" },
                  `${plural(eventsLeftOut, "change")} before these are left out.`,
              ),
    );
}
