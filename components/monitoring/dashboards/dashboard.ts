import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
    AnnotationQueryBuilder,
    DashboardBuilder,
    DashboardCursorSync,
    DashboardLinkBuilder,
    DashboardLinkType,
    QueryVariableBuilder,
    RowBuilder,
    VariableHide,
    VariableRefresh,
    VariableSort,
    type Panel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
    METRICS,
    RELEASE_INFO,
    SCRAPE_INTERVAL_SECONDS,
    TRAFFIC_WEIGHT,
} from "@property-search/contract";
import { DATA_SOURCE } from "./dataSource.ts";

export interface Row {
    /** As a panel's id. */
    readonly id: number;
    readonly title: string;
    readonly panels: readonly Builder<Panel>[];
}

export interface DashboardOptions {
    readonly uid: string;
    readonly title: string;
    readonly description: string;
    /** What is shown at first, such as `now-6h`. */
    readonly from: string;
    /** Labels of a metric by which the reader may choose. */
    readonly choices?: readonly { readonly label: string; readonly metric: string }[];
    /** The first has no heading: it is what one came to see. */
    readonly rows: readonly [glance: Omit<Row, "id" | "title">, ...rest: Row[]];
}

/** On each of the four, by which they link to each other. */
const TAG = "property-search";

/** A dashboard as the JSON that Grafana reads from a file. */
export function dashboard(options: DashboardOptions): object {
    const { uid, title, description, from, choices = [], rows } = options;
    // The SDK prefers a Kubernetes object in its place; Grafana's files are read in this form by any version.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const builder = new DashboardBuilder(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time({ from, to: "now" })
        .refresh("30s")
        .tooltip(DashboardCursorSync.Crosshair)
        .link(
            new DashboardLinkBuilder("Property search")
                .type(DashboardLinkType.Dashboards)
                .tags([TAG])
                .keepTime(true),
        )
        .annotations([weightChanges(), newVersions(), releaseEvents(), alerts()]);
    for (const { label, metric } of choices) builder.withVariable(choice(label, metric));
    for (const row of rows) {
        if ("id" in row) builder.withRow(new RowBuilder(row.title).id(row.id));
        for (const panel of row.panels) builder.withPanel(panel);
    }
    return JSON.parse(JSON.stringify(builder.build())) as object;
}

function choice(label: string, metric: string): QueryVariableBuilder {
    return new QueryVariableBuilder(label)
        .label(label)
        .query({ query: `label_values(${metric}, ${label})`, refId: label })
        .datasource(DATA_SOURCE)
        .hide(VariableHide.DontHide)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue(".*")
        .current({ selected: true, text: ["All"], value: ["$__all"] });
}

/** One colour's weight is enough: the other's is what it leaves of 100. */
function weightChanges(): AnnotationQueryBuilder {
    const weight = `count_values by (colour) ("weight", ${TRAFFIC_WEIGHT}{colour="green"})`;
    return event("Traffic weight", "#B877D9")
        .expr(`${weight} unless ${weight.replace("}", "} offset 1m")}`)
        .titleFormat("green carries {{weight}} %");
}

/** A scrape that fails is no new version: one that was seen in the five minutes before is none. */
function newVersions(): AnnotationQueryBuilder {
    const versions = "count by (colour, version)";
    return event("New version", "#F2CC0C")
        .expr(
            `${versions} (${METRICS.buildInfo}) ` +
                `unless ${versions} (count_over_time(${METRICS.buildInfo}[5m] offset 1m))`,
        )
        .titleFormat("{{colour}} runs {{version}}");
}

function alerts(): AnnotationQueryBuilder {
    return event("Alerts", "#E02F44")
        .expr('ALERTS{alertstate="firing",severity=~"critical|warning"}')
        .titleFormat("{{alertname}}")
        .textFormat("{{severity}} {{service}} {{colour}}");
}

/** Each phase that the release driver enters, by the mark that it leaves on the route. */
function releaseEvents(): AnnotationQueryBuilder {
    const phases = `max by (switch, candidate, phase) (${RELEASE_INFO}`;
    return event("Release events", "#8AB8FF")
        .expr(`${phases}) unless ${phases} offset 1m)`)
        .titleFormat("{{candidate}}: {{phase}}")
        .textFormat("{{switch}}");
}

function event(name: string, iconColor: string): AnnotationQueryBuilder {
    return new AnnotationQueryBuilder()
        .name(name)
        .datasource(DATA_SOURCE)
        .enable(true)
        .iconColor(iconColor)
        .step(`${SCRAPE_INTERVAL_SECONDS}s`);
}
