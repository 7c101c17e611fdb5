import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleConfigBuilder,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    ReduceDataOptionsBuilder,
    SortOrder,
    StackingConfigBuilder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizLegendOptionsBuilder,
    VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
    DashboardLinkBuilder,
    FieldColorBuilder,
    FieldColorModeId,
    ThresholdsConfigBuilder,
    ThresholdsMode,
    type DashboardLink,
    type Panel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatPanel } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TablePanel } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as GraphPanel } from "@grafana/grafana-foundation-sdk/timeseries";
import { SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";
import { DATA_SOURCE } from "./dataSource.ts";
import { BOUNDS, FIXED_COLOURS, NEUTRAL, type Step } from "./palette.ts";
import type { Unit } from "./units.ts";

export interface Query {
    readonly expr: string;
    /** Legend, with `{{label}}` for a label's value. */
    readonly legend: string;
}

interface PanelOptions {
    /** Never changes and is never used again: links and screenshots name it. */
    readonly id: number;
    readonly title: string;
    /** What the figures mean and what to make of them. */
    readonly description: string;
    readonly unit: Unit;
    /** Of 24 columns. */
    readonly width: number;
    readonly queries: readonly Query[];
    /** Default: no figure is better than another. */
    readonly steps?: readonly Step[];
    readonly decimals?: number;
}

export interface StatOptions extends PanelOptions {
    /** Shown where there is no figure, such as the hit rate of nothing. */
    readonly absent?: string;
    /** Colours the panel and not the figure only. */
    readonly loud?: boolean;
    /** Shows each series' legend and not its figure. */
    readonly names?: boolean;
}

export interface GraphOptions extends PanelOptions {
    readonly stacked?: boolean;
    /** For what changes at an instant, such as a weight or a number of pods. */
    readonly stepped?: boolean;
    readonly max?: number;
    /** Default 0; figures that may be negative have none. */
    readonly min?: number | null;
}

export interface Column {
    /** A label, or `Value #A` for the figure of the first query. */
    readonly field: string;
    readonly title: string;
    readonly unit?: Unit;
    /** `${__value.raw}` is the cell's own text. */
    readonly link?: string;
}

export interface TableOptions extends PanelOptions {
    /** In this order; other fields are not shown. */
    readonly columns: readonly Column[];
    /** Fields that a query brings along and nobody asks for. */
    readonly hidden: readonly string[];
}

const STAT_HEIGHT = 4;
const GRAPH_HEIGHT = 8;

/**
 * Figures of this instant. Not the last ones of the shown time, which would go on standing for a
 * service that has stopped.
 */
export function stat(options: StatOptions): Builder<Panel> {
    const panel = new StatPanel()
        .height(STAT_HEIGHT)
        .span(options.width)
        .noValue(options.absent ?? "no data")
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
        .graphMode(BigValueGraphMode.None)
        .colorMode(options.loud === true ? BigValueColorMode.Background : BigValueColorMode.Value)
        .textMode(
            options.names === true
                ? BigValueTextMode.Name
                : options.queries.length > 1 || options.steps === undefined
                  ? BigValueTextMode.Auto
                  : BigValueTextMode.Value,
        );
    describe(panel, options, FieldColorModeId.Thresholds);
    for (const query of queriesOf(options)) panel.withTarget(query.instant());
    return panel;
}

export function graph(options: GraphOptions): Builder<Panel> {
    const { stacked = false, stepped = false, min = 0 } = options;
    const panel = new GraphPanel()
        .height(GRAPH_HEIGHT)
        .span(options.width)
        .legend(
            new VizLegendOptionsBuilder()
                .displayMode(LegendDisplayMode.List)
                .placement(LegendPlacement.Bottom)
                .showLegend(true)
                .calcs(["lastNotNull"]),
        )
        .tooltip(
            new VizTooltipOptionsBuilder()
                .mode(TooltipDisplayMode.Multi)
                .sort(SortOrder.Descending),
        )
        .showPoints(VisibilityMode.Never)
        .lineWidth(1)
        .fillOpacity(stacked ? 60 : 8)
        .lineInterpolation(stepped ? LineInterpolation.StepAfter : LineInterpolation.Linear)
        .stacking(
            new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None),
        )
        .thresholdsStyle(
            new GraphThresholdsStyleConfigBuilder().mode(
                options.steps ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
            ),
        );
    if (min !== null) panel.min(min);
    if (options.max !== undefined) panel.max(options.max);
    describe(panel, options, FieldColorModeId.PaletteClassicByName);
    panel.overrideByRegexp(BOUNDS, [
        { id: "custom.lineStyle", value: { fill: "dash", dash: [6, 6] } },
        { id: "custom.fillOpacity", value: 0 },
    ]);
    for (const query of queriesOf(options)) panel.withTarget(query.range());
    return panel;
}

/** A line for each combination of labels, a column for each query. */
export function table(options: TableOptions): Builder<Panel> {
    const { columns, hidden } = options;
    const panel = new TablePanel().height(GRAPH_HEIGHT).span(options.width);
    describe(panel, options, FieldColorModeId.Thresholds);
    panel.transformations([
        { id: "merge", options: {} },
        {
            id: "organize",
            options: {
                indexByName: Object.fromEntries(columns.map(({ field }, at) => [field, at])),
                renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
                excludeByName: Object.fromEntries(
                    ["Time", ...hidden].map((field) => [field, true]),
                ),
            },
        },
    ]);
    for (const { title, unit, link } of columns) {
        if (unit !== undefined) panel.overrideByName(title, [{ id: "unit", value: unit }]);
        if (link !== undefined) {
            const links: DashboardLink[] = [new DashboardLinkBuilder("Open").url(link).build()];
            panel.overrideByName(title, [{ id: "links", value: links }]);
        }
    }
    for (const query of queriesOf(options)) {
        panel.withTarget(query.instant().format(PromQueryFormat.Table));
    }
    return panel;
}

function describe(
    panel: StatPanel | GraphPanel | TablePanel,
    { id, title, description, unit, steps, decimals }: PanelOptions,
    colours: FieldColorModeId,
): void {
    panel
        .id(id)
        .title(title)
        .description(description)
        .unit(unit)
        .datasource(DATA_SOURCE)
        // By which Grafana makes $__rate_interval four scrapes at least.
        .interval(`${SCRAPE_INTERVAL_SECONDS}s`)
        .colorScheme(new FieldColorBuilder().mode(colours))
        .thresholds(
            new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(
                (steps ?? [{ from: null, color: NEUTRAL }]).map(({ from, color }) => ({
                    value: from,
                    color,
                })),
            ),
        );
    if (decimals !== undefined) panel.decimals(decimals);
    if (steps !== undefined && !(panel instanceof GraphPanel)) return;
    for (const [series, fixedColor] of FIXED_COLOURS) {
        panel.overrideByRegexp(series, [
            { id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor } },
        ]);
    }
}

function queriesOf({ queries }: PanelOptions): readonly DataqueryBuilder[] {
    return queries.map(({ expr, legend }, at) =>
        new DataqueryBuilder()
            .refId(String.fromCharCode("A".charCodeAt(0) + at))
            .datasource(DATA_SOURCE)
            .expr(expr)
            .legendFormat(legend),
    );
}
