import { NAMESPACES, SERIES } from "@property-search/contract";
import { alert, record, type Alert, type RecordingRule } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

const DAY_SECONDS = 24 * 3600;
const OF_EDGE = { service: "edge", namespace: NAMESPACES.edge } as const;

/** Where Traefik serves it tells what it serves; cert-manager tells what it has issued. */
export function certificateRecords(): RecordingRule[] {
    const named = (expr: string, label: string) =>
        `label_replace(${expr}, "certificate", "$1", "${label}", "(.*)")`;
    const served = named("traefik_tls_certs_not_after", "cn");
    // 0 is a certificate that has not been issued yet, which CertificateNotReady is about.
    const issued = named("certmanager_certificate_expiration_timestamp_seconds > 0", "name");
    return [
        record(
            SERIES.certificateExpiry,
            `min by (certificate) (${served}) or min by (certificate) (${issued})`,
        ),
    ];
}

/** A certificate is renewed a third of its life before it ends: one that comes near its end is not renewed. */
export function certificateAlerts({ certificateDays }: AlertThresholds): Alert[] {
    const within = (days: number) => `${SERIES.certificateExpiry} - time() < ${days * DAY_SECONDS}`;
    const shared = {
        ...OF_EDGE,
        topic: "certificate {{ $labels.certificate }}",
        for: "5m",
        description: `{{ $labels.certificate }} ends in {{ $value | humanizeDuration }} and should have been renewed long before.`,
    };
    return [
        alert("CertificateExpiresSoon", {
            ...shared,
            expr: within(certificateDays.warning),
            severity: "warning",
            summary: `Certificate {{ $labels.certificate }} ends within ${certificateDays.warning} days`,
        }),
        alert("CertificateExpiresNow", {
            ...shared,
            expr: within(certificateDays.critical),
            severity: "critical",
            summary: `Certificate {{ $labels.certificate }} ends within ${certificateDays.critical} days`,
        }),
        alert("CertificateNotReady", {
            ...OF_EDGE,
            topic: "issuing {{ $labels.certificate }}",
            expr: `label_replace(max by (name) (certmanager_certificate_ready_status{condition="False"}) == 1,
                   "certificate", "$1", "name", "(.*)")`,
            for: "15m",
            severity: "warning",
            summary: "cert-manager cannot issue {{ $labels.certificate }}",
            description:
                "{{ $labels.certificate }} has not been ready for 15 minutes: it was not issued or not renewed.",
        }),
    ];
}
