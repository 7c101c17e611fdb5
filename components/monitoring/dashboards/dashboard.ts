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
    /** Unique among the dashboard's panels and rows. */
    readonly id: number;
    readonly title: string;
    readonly panels: readonly Builder<Panel>[];
}

export interface DashboardOptions {
    readonly uid: string;
    readonly title: string;
    readonly description: string;
    /** Start of the default time range, such as `now-6h`. */
    readonly from: string;
    /** Labels of a metric that users can filter by. */
    readonly filters?: readonly { readonly label: string; readonly metric: string }[];
    /** The first row is the summary and has no heading. */
    readonly rows: readonly [summary: Omit<Row, "id" | "title">, ...rest: Row[]];
}

/** Tag of every dashboard, by which they link to each other. */
const TAG = "property-search";

/** Builds the JSON of a dashboard that Grafana reads from a file. */
export function createDashboard(options: DashboardOptions): object {
    const { uid, title, description, from, filters = [], rows } = options;
    // The SDK recommends a Kubernetes object instead, but only this form is read from files by all versions.
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
        .annotations([
            weightAnnotation(),
            versionAnnotation(),
            releaseAnnotation(),
            alertAnnotation(),
        ]);
    for (const { label, metric } of filters) builder.withVariable(labelFilter(label, metric));
    for (const row of rows) {
        if ("id" in row) builder.withRow(new RowBuilder(row.title).id(row.id));
        for (const panel of row.panels) builder.withPanel(panel);
    }
    return JSON.parse(JSON.stringify(builder.build())) as object;
}

function labelFilter(label: string, metric: string): QueryVariableBuilder {
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

/** One colour suffices, since the weights add up to 100. */
function weightAnnotation(): AnnotationQueryBuilder {
    const weight = `count_values by (colour) ("weight", ${TRAFFIC_WEIGHT}{colour="green"})`;
    return annotation("Traffic weight", "#B877D9")
        .expr(`${weight} unless ${weight.replace("}", "} offset 1m")}`)
        .titleFormat("weight of green: {{weight}} %");
}

/** Excludes versions that were present in the previous five minutes, so that a failed scrape is not a new version. */
function versionAnnotation(): AnnotationQueryBuilder {
    const versions = "count by (colour, version)";
    return annotation("New version", "#F2CC0C")
        .expr(
            `${versions} (${METRICS.buildInfo}) ` +
                `unless ${versions} (count_over_time(${METRICS.buildInfo}[5m] offset 1m))`,
        )
        .titleFormat("{{colour}} runs {{version}}");
}

function alertAnnotation(): AnnotationQueryBuilder {
    return annotation("Alerts", "#E02F44")
        .expr('ALERTS{alertstate="firing",severity=~"critical|warning"}')
        .titleFormat("{{alertname}}")
        .textFormat("{{severity}} {{service}} {{colour}}");
}

/** Phases of a release, which the release driver records on the route. */
function releaseAnnotation(): AnnotationQueryBuilder {
    const phases = `max by (switch, candidate, phase) (${RELEASE_INFO}`;
    return annotation("Release events", "#8AB8FF")
        .expr(`${phases}) unless ${phases} offset 1m)`)
        .titleFormat("{{candidate}}: {{phase}}")
        .textFormat("{{switch}}");
}

function annotation(name: string, iconColor: string): AnnotationQueryBuilder {
    return new AnnotationQueryBuilder()
        .name(name)
        .datasource(DATA_SOURCE)
        .enable(true)
        .iconColor(iconColor)
        .step(`${SCRAPE_INTERVAL_SECONDS}s`);
}
