import type { Row } from "../dashboard.ts";
import type { DashboardsOptions } from "../options.ts";
import { goodBelow } from "../palette.ts";
import { graph, table } from "../panels.ts";
import { query } from "../queries.ts";
import { UNITS } from "../units.ts";

export function alerting({ runbooks }: DashboardsOptions): Row {
    return {
        id: 103,
        title: "Alerts",
        panels: [
            table({
                id: 40,
                title: "Firing now",
                description:
                    "Watchdog always fires: while it stands here, rules are evaluated. An alert's name leads to " +
                    "its runbook.",
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
                    { field: "service", title: "Concerns" },
                    { field: "colour", title: "Colour" },
                    { field: "namespace", title: "Namespace" },
                ],
                hidden: ["Value"],
            }),
            graph({
                id: 41,
                title: "Targets that do not answer",
                description: "What Prometheus should read and cannot, by job.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                steps: goodBelow(1),
                queries: [query("sum by (job) (1 - up)", "{{job}}")],
            }),
        ],
    };
}
