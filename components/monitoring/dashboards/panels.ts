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
import { REFERENCE_SERIES, FIXED_COLOURS, NEUTRAL, type Step } from "./palette.ts";
import type { Unit } from "./units.ts";

export interface Query {
    readonly expr: string;
    /** Legend, with `{{label}}` for a label's value. */
    readonly legend: string;
}

interface PanelOptions {
    /** Stable and never reused, since links contain it. */
    readonly id: number;
    readonly title: string;
    /** Meaning and interpretation of the values. */
    readonly description: string;
    readonly unit: Unit;
    /** Columns, of 24. */
    readonly width: number;
    readonly queries: readonly Query[];
    /** Threshold colours. Default: neutral. */
    readonly steps?: readonly Step[];
    readonly decimals?: number;
}

export interface StatOptions extends PanelOptions {
    /** Text without a value, such as the hit rate while there are no lookups. Default: "no data". */
    readonly noValue?: string;
    /** Colours the background instead of the value. Default: false. */
    readonly colourBackground?: boolean;
    /** Shows the legend of each series instead of its value. Default: false. */
    readonly legendOnly?: boolean;
}

export interface GraphOptions extends PanelOptions {
    readonly stacked?: boolean;
    /** Draws steps, for values that change at an instant, such as a weight. Default: false. */
    readonly stepped?: boolean;
    readonly max?: number;
    /** Default: 0. `null` for values that may be negative. */
    readonly min?: number | null;
}

export interface Column {
    /** A label, or `Value #A` for the value of the first query. */
    readonly field: string;
    readonly title: string;
    readonly unit?: Unit;
    /** URL; `${__value.raw}` is the text of the cell. */
    readonly link?: string;
}

export interface TableOptions extends PanelOptions {
    /** Columns in order. */
    readonly columns: readonly Column[];
    /** Fields of the query results that are not shown. */
    readonly hidden: readonly string[];
}

const STAT_HEIGHT = 4;
const GRAPH_HEIGHT = 8;

/**
 * Shows the current value. The last value of the time range would still be shown for a service that has
 * stopped.
 */
export function statPanel(options: StatOptions): Builder<Panel> {
    const panel = new StatPanel()
        .height(STAT_HEIGHT)
        .span(options.width)
        .noValue(options.noValue ?? "no data")
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
        .graphMode(BigValueGraphMode.None)
        .colorMode(
            options.colourBackground === true
                ? BigValueColorMode.Background
                : BigValueColorMode.Value,
        )
        .textMode(
            options.legendOnly === true
                ? BigValueTextMode.Name
                : options.queries.length > 1 || options.steps === undefined
                  ? BigValueTextMode.Auto
                  : BigValueTextMode.Value,
        );
    applyCommonOptions(panel, options, FieldColorModeId.Thresholds);
    for (const query of buildQueries(options)) panel.withTarget(query.instant());
    return panel;
}

export function graphPanel(options: GraphOptions): Builder<Panel> {
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
    applyCommonOptions(panel, options, FieldColorModeId.PaletteClassicByName);
    panel.overrideByRegexp(REFERENCE_SERIES, [
        { id: "custom.lineStyle", value: { fill: "dash", dash: [6, 6] } },
        { id: "custom.fillOpacity", value: 0 },
    ]);
    for (const query of buildQueries(options)) panel.withTarget(query.range());
    return panel;
}

/** Shows a row per combination of labels and a column per query. */
export function tablePanel(options: TableOptions): Builder<Panel> {
    const { columns, hidden } = options;
    const panel = new TablePanel().height(GRAPH_HEIGHT).span(options.width);
    applyCommonOptions(panel, options, FieldColorModeId.Thresholds);
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
    for (const query of buildQueries(options)) {
        panel.withTarget(query.instant().format(PromQueryFormat.Table));
    }
    return panel;
}

function applyCommonOptions(
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
        // Grafana derives $__rate_interval from it: at least four scrapes.
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

function buildQueries({ queries }: PanelOptions): readonly DataqueryBuilder[] {
    return queries.map(({ expr, legend }, at) =>
        new DataqueryBuilder()
            .refId(String.fromCharCode("A".charCodeAt(0) + at))
            .datasource(DATA_SOURCE)
            .expr(expr)
            .legendFormat(legend),
    );
}
