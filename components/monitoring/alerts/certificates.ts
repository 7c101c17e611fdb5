import { NAMESPACES, SERIES } from "@property-search/contract";
import { alert, record, type Alert, type RecordingRule } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

const DAY_SECONDS = 24 * 3600;
const EDGE_LABELS = { service: "edge", namespace: NAMESPACES.edge } as const;

/** Traefik reports the certificates it serves; cert-manager reports those it has issued. */
export function certificateRecords(): RecordingRule[] {
    const byCertificate = (expr: string, label: string) =>
        `label_replace(${expr}, "certificate", "$1", "${label}", "(.*)")`;
    // Until it restarts, Traefik also reports certificates that it has replaced: the newest of each pod is served
    // (https://github.com/traefik/traefik/issues/8606).
    const served = byCertificate("max by (cn, sans, instance) (traefik_tls_certs_not_after)", "cn");
    // 0 is a certificate that has not been issued yet, which CertificateNotReady covers.
    const issued = byCertificate(
        "certmanager_certificate_expiration_timestamp_seconds > 0",
        "name",
    );
    return [
        record(
            SERIES.certificateExpiry,
            `min by (certificate) (${served}) or min by (certificate) (${issued})`,
        ),
    ];
}

/** cert-manager renews a certificate when a third of its lifetime is left: one close to expiry was not renewed. */
export function certificateAlerts({
    certificateWarningDays,
    certificateCriticalDays,
}: AlertThresholds): Alert[] {
    const expiresWithin = (days: number) =>
        `${SERIES.certificateExpiry} - time() < ${days * DAY_SECONDS}`;
    const shared = {
        ...EDGE_LABELS,
        topic: "certificate {{ $labels.certificate }}",
        for: "5m",
        description: `{{ $labels.certificate }} expires in {{ $value | humanizeDuration }} and should have been renewed long before.`,
    };
    return [
        alert("CertificateExpiresSoon", {
            ...shared,
            expr: expiresWithin(certificateWarningDays),
            severity: "warning",
            summary: `Certificate {{ $labels.certificate }} expires within ${certificateWarningDays} days`,
        }),
        alert("CertificateExpiryCritical", {
            ...shared,
            expr: expiresWithin(certificateCriticalDays),
            severity: "critical",
            summary: `Certificate {{ $labels.certificate }} expires within ${certificateCriticalDays} days`,
        }),
        alert("CertificateNotReady", {
            ...EDGE_LABELS,
            topic: "issuing {{ $labels.certificate }}",
            expr: `label_replace(max by (name) (certmanager_certificate_ready_status{condition="False"}) == 1,
                   "certificate", "$1", "name", "(.*)")`,
            for: "15m",
            severity: "warning",
            summary: "cert-manager cannot issue {{ $labels.certificate }}",
            description:
                "{{ $labels.certificate }} has not been ready for 15 minutes: it was not issued or renewed.",
        }),
    ];
}
