import { dashboards } from "../../components/monitoring/dashboards/index.ts";

/** Fields of a dashboard's JSON that tests read. */
export interface DashboardJson {
    readonly uid: string;
    readonly title: string;
    readonly panels: readonly PanelJson[];
    readonly annotations: { readonly list: readonly AnnotationJson[] };
    readonly templating: { readonly list?: readonly VariableJson[] };
}

export interface PanelJson {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly gridPos: {
        readonly x: number;
        readonly y: number;
        readonly w: number;
        readonly h: number;
    };
    readonly datasource?: object;
    readonly targets?: readonly TargetJson[];
    readonly fieldConfig?: {
        readonly defaults: {
            readonly unit?: string;
            readonly thresholds?: { readonly steps: readonly StepJson[] };
        };
        readonly overrides: readonly OverrideJson[];
    };
}

export interface TargetJson {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource?: object;
}

interface StepJson {
    readonly value: number | null;
    readonly color: string;
}

interface OverrideJson {
    readonly matcher: { readonly id: string; readonly options: string };
    readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

interface AnnotationJson {
    readonly name: string;
    readonly expr?: string;
    readonly datasource: object;
    readonly target?: object;
}

interface VariableJson {
    readonly name: string;
    readonly query: { readonly query: string };
}

export function dashboardsJson(
    ...options: Parameters<typeof dashboards>
): Readonly<Record<string, DashboardJson>> {
    return dashboards(...options) as Readonly<Record<string, DashboardJson>>;
}

/** @returns the panels with queries, without the headings of rows. */
export function panelsOf({ panels }: DashboardJson): readonly PanelJson[] {
    return panels.filter(({ type }) => type !== "row");
}

/** Replaces Grafana's variables: every tenant and model, over the last hour, with the shortest step. */
export function expandVariables(expr: string): string {
    return expr
        .replaceAll("$__rate_interval", "1m")
        .replaceAll("$__range", "1h")
        .replaceAll(/\$(tenant|model)\b/g, ".*");
}

export interface PanelQuery {
    readonly file: string;
    readonly panel: string;
    readonly expr: string;
}

export function queriesOf(all: Readonly<Record<string, DashboardJson>>): readonly PanelQuery[] {
    return Object.entries(all).flatMap(([file, dashboard]) =>
        panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
            targets.map(({ expr }) => ({ file, panel: title, expr })),
        ),
    );
}
