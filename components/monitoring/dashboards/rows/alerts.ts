import type { Row } from "../dashboard.ts";
import type { DashboardsOptions } from "../options.ts";
import { lowIsGood } from "../palette.ts";
import { graphPanel, tablePanel } from "../panels.ts";
import { query } from "../queries.ts";
import { UNITS } from "../units.ts";

export function alertsRow({ runbooks }: DashboardsOptions): Row {
    return {
        id: 103,
        title: "Alerts",
        panels: [
            tablePanel({
                id: 40,
                title: "Firing alerts",
                description:
                    "Watchdog always fires: if it is missing, rules are not evaluated. The name of an alert links " +
                    "to its runbook.",
                unit: UNITS.count,
                width: 16,
                queries: [
                    query(
                        'sum by (alertname, severity, service, namespace, colour) (ALERTS{alertstate="firing"})',
                        "{{alertname}}",
                    ),
                ],
                columns: [
                    {
                        field: "alertname",
                        title: "Alert",
                        ...(runbooks !== undefined && {
                            link: `${runbooks}/\${__value.raw}.md`,
                        }),
                    },
                    { field: "severity", title: "Severity" },
                    { field: "service", title: "Service" },
                    { field: "colour", title: "Colour" },
                    { field: "namespace", title: "Namespace" },
                ],
                hidden: ["Value"],
            }),
            graphPanel({
                id: 41,
                title: "Targets down",
                description: "Targets that Prometheus cannot scrape, by job.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                steps: lowIsGood(1),
                queries: [query("sum by (job) (1 - up)", "{{job}}")],
            }),
        ],
    };
}
