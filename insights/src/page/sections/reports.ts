import { formatCount, formatDollars, formatPercent } from "../../report/format.ts";
import { element, table } from "../elements.ts";
import type { Archive, SectionContent } from "./content.ts";

const MAX_REPORTS = 14;

export const reports: SectionContent = {
    title: "Reports",
    more: (_, archive) => reportTables(archive),
};

function reportTables({ reports, months }: Archive): readonly HTMLElement[] {
    const link = (href: string, text: string, label: string) =>
        element("a", { href, "aria-label": label }, text);
    const monthly = months.map((month) => {
        const name = new Date(`${month}-01T00:00:00Z`).toLocaleDateString("en-GB", {
            ...{ month: "long", year: "numeric", timeZone: "UTC" },
        } as const);
        const path = `/impact/api/months/${month}`;
        return element(
            "li",
            {},
            link(`${path}.html`, name, `Report of ${name}`),
            " (",
            link(`${path}.md`, "Markdown", `Report of ${name} as Markdown`),
            ", ",
            link(`${path}.json`, "JSON", `Report of ${name} as JSON`),
            ")",
        );
    });
    return [
        element("h3", {}, "Monthly reports"),
        months.length === 0
            ? element("p", {}, "None yet: the first one begins with the first hour.")
            : element("ul", { class: "months" }, ...monthly),
        element("h3", {}, "Daily reports"),
        reports.length === 0
            ? element("p", {}, "None yet: the first one is written at 02:00, or by make optimize.")
            : table({
                  caption: "Latest first; each covers the 24 hours before its end",
                  columns: ["Day", "Figures", "Hit rate", "Net savings", "Recommendations"],
                  rows: reports.slice(0, MAX_REPORTS).map((one) => [
                      {
                          text: one.day,
                          href: `/impact/api/reports/${one.day}.html`,
                          label: `Report of ${one.day}`,
                      },
                      one.state,
                      formatPercent(one.hitRate),
                      formatDollars(one.netDollars),
                      formatCount(one.recommendations),
                  ]),
                  textColumns: [0, 1],
              }),
    ];
}
