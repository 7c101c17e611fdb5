import { describe, expect, test } from "@jest/globals";
import { COLOURS, JOBS, RELEASE_INFO } from "@property-search/contract";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { UNITS } from "../../components/monitoring/dashboards/units.ts";
import {
    dashboardsJson,
    expandVariables,
    panelsOf,
    queriesOf,
    type DashboardJson,
    type PanelJson,
} from "../support/dashboards.ts";
import { lintQuery, seriesNames, seriesOf } from "../support/promql.ts";

const WITH_GATEWAY = {
    ...DEFAULT_THRESHOLDS,
    jobs: [...DEFAULT_THRESHOLDS.jobs, JOBS.gateway],
};
const all = dashboardsJson({
    thresholds: WITH_GATEWAY,
    missesPerPod: 20,
    runbooks: "https://runbooks.example.com",
});
const files = Object.entries(all);
const panels = files.flatMap(([file, dashboard]) =>
    panelsOf(dashboard).map((panel) => [file, panel.title, panel] as const),
);
const queries = queriesOf(all).map(({ file, panel, expr }) => [file, panel, expr] as const);
const events = files.flatMap(([file, { annotations }]) =>
    annotations.list.flatMap(({ name, expr }) =>
        expr === undefined ? [] : [[file, name, expr] as const],
    ),
);

const LINT = { recorded: new Set(seriesNames()) };

const panelOf = (dashboard: DashboardJson | undefined, id: number): PanelJson => {
    const panel = dashboard?.panels.find((one) => one.id === id);
    if (!panel) throw new Error(`no panel ${id}`);
    return panel;
};

const stepsOf = ({ fieldConfig }: PanelJson) =>
    fieldConfig?.defaults.thresholds?.steps.map(({ value, color }) => [value, color]);

describe("dashboards", () => {
    test("are deterministic, one per audience", () => {
        expect(JSON.stringify(dashboardsJson())).toBe(JSON.stringify(dashboardsJson()));
        expect(files.map(([file]) => file)).toEqual([
            "service.json",
            "release.json",
            "cost.json",
            "redis.json",
        ]);
    });

    test("have unique and stable UIDs, so that links and bookmarks stay valid", () => {
        expect(files.map(([, { uid }]) => uid)).toEqual([
            "property-search-service",
            "property-search-release",
            "property-search-cost",
            "property-search-redis",
        ]);
    });

    test.each(files)("%s: IDs are unique, and no panels overlap", (_, dashboard) => {
        const ids = dashboard.panels.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const titlesByPlace = new Map<string, string>();
        for (const { title, gridPos } of dashboard.panels) {
            const { x, y, w, h } = gridPos;
            expect({ title, right: x + w <= 24 }).toEqual({ title, right: true });
            for (let column = x; column < x + w; column += 1) {
                for (let line = y; line < y + h; line += 1) {
                    const place = `${column},${line}`;
                    expect({ title, under: titlesByPlace.get(place) }).toEqual({
                        title,
                        under: undefined,
                    });
                    titlesByPlace.set(place, title);
                }
            }
        }
    });

    test.each(files)("%s: every line of panels fills the width", (_, dashboard) => {
        const lines = Map.groupBy(panelsOf(dashboard), ({ gridPos }) => gridPos.y);
        for (const line of lines.values()) {
            const width = line.reduce((sum, { gridPos }) => sum + gridPos.w, 0);
            expect({ titles: line.map(({ title }) => title), width }).toEqual({
                titles: line.map(({ title }) => title),
                width: 24,
            });
        }
    });

    test.each(panels)("%s, %s: has a unit, a description, a source and queries", (_, __, panel) => {
        expect(Object.values(UNITS)).toContain(panel.fieldConfig?.defaults.unit);
        expect(panel.description).toMatch(/^.{10,}\.$/s);
        expect(panel.datasource).toEqual({ type: "prometheus", uid: "prometheus" });
        const targets = panel.targets ?? [];
        expect(targets.length).toBeGreaterThan(0);
        expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
        for (const { legendFormat, datasource } of targets) {
            expect(legendFormat).not.toBe("");
            expect(datasource).toEqual(panel.datasource);
        }
    });

    test.each([...queries, ...events])(
        "%s, %s: is valid PromQL over metrics of the contract or of a known exporter: %s",
        (_, __, expr) => {
            expect(lintQuery(expr, LINT)).toEqual([]);
            expect(seriesOf(expandVariables(expr)).length).toBeGreaterThan(0);
        },
    );

    test.each(queries)(
        "%s, %s: uses no variables other than Grafana's and its own: %s",
        (_, __, expr) => {
            expect(expandVariables(expr)).not.toContain("$");
        },
    );

    test("omit panels of sources that are not scraped", () => {
        const bare = dashboardsJson({ thresholds: { ...DEFAULT_THRESHOLDS, jobs: [] } });
        const read = Object.values(bare)
            .flatMap(panelsOf)
            .flatMap(({ targets = [] }) =>
                targets.flatMap(({ expr }) => seriesOf(expandVariables(expr))),
            );
        expect(read.filter((name) => /^(redis|traefik)_/.test(name))).toEqual([]);
        expect(panelsOf(bare["redis.json"] ?? fail()).length).toBeGreaterThan(5);
    });
});

describe("the service's dashboard", () => {
    const service = all["service.json"];

    test("shows traffic split, health and savings in its first row", () => {
        const first = panelsOf(service ?? fail()).filter(({ gridPos }) => gridPos.y === 0);
        expect(first.map(({ title }) => title)).toEqual([
            "Traffic split",
            "Requests",
            "Errors",
            "Hit rate",
            "p95",
            "Saved per month",
            "Alerts",
        ]);
        expect(first.map(({ type }) => type)).toEqual(first.map(() => "stat"));
    });

    test("values change colour at the thresholds of alerts", () => {
        const thresholds = {
            ...DEFAULT_THRESHOLDS,
            hitRateWarningPercent: 80,
            hitRateCriticalPercent: 40,
            latencySeconds: 0.2,
        };
        const changed = dashboardsJson({ thresholds, missesPerPod: 7 })["service.json"];
        expect(stepsOf(panelOf(changed, 4))).toEqual([
            [null, "red"],
            [0.4, "orange"],
            [0.8, "green"],
        ]);
        expect(stepsOf(panelOf(changed, 5))).toEqual([
            [null, "green"],
            [0.2, "red"],
        ]);
        expect(stepsOf(panelOf(changed, 31))).toContainEqual([7, "red"]);
    });

    test("an alert links to its runbook if the folder of the runbooks is set", () => {
        expect(JSON.stringify(panelOf(service, 40))).toContain(
            "https://runbooks.example.com/${__value.raw}.md",
        );
        expect(JSON.stringify(panelOf(dashboardsJson()["service.json"], 40))).not.toContain(
            '"url"',
        );
    });
});

describe("colours and events", () => {
    test.each(panels.filter(([, , { type }]) => type === "timeseries"))(
        "%s, %s: draws blue in blue and green in green",
        (_, __, { fieldConfig }) => {
            const fixed = new Map(
                fieldConfig?.overrides.map(({ matcher, properties }) => [
                    matcher.options,
                    properties.find(({ id }) => id === "color")?.value,
                ]),
            );
            for (const colour of COLOURS) {
                expect(fixed.get(`/^${colour}\\b/`)).toMatchObject({ mode: "fixed" });
            }
        },
    );

    test.each(files)(
        "%s: annotates changes of weight and version, release phases and alerts",
        (_, d) => {
            expect(d.annotations.list.map(({ name }) => name)).toEqual([
                "Traffic weight",
                "New version",
                "Release events",
                "Alerts",
            ]);
            expect(d.annotations.list[2]?.expr).toContain(RELEASE_INFO);
        },
    );
});

function fail(): never {
    throw new Error("no such dashboard");
}
