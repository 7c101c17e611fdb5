import { NAMESPACES } from "@property-search/contract";
import type { Case } from "../../support/monitoring/cases.ts";
import { gauge, STALE } from "../../support/monitoring/samples.ts";
import { gaugeCases } from "./common.ts";

const LABELS = `service="edge",namespace="${NAMESPACES.edge}"`;
const served = (cn: string, serial = 1, instance = "a") =>
    `traefik_tls_certs_not_after{cn="${cn}",sans="${cn}",serial="${serial}",instance="${instance}"}`;
const issued = (name: string) =>
    `certmanager_certificate_expiration_timestamp_seconds{name="${name}"}`;
/** promtool's clock starts at 0. */
const days = (count: number) => count * 86_400;

function ending(limit: number): Case[] {
    const one = `${LABELS},certificate="one"`;
    const two = `${LABELS},certificate="two"`;
    return [
        {
            why: "fires after its time, not before, and resolves when it is renewed",
            series: {
                [served("one")]: gauge([
                    [days(limit - 0.5), 20],
                    [days(90), 20],
                ]),
            },
            at: { "4m45s": [], "6m": [one], "19m": [one], "21m": [] },
        },
        {
            why: "what ends later is no trouble",
            series: { [served("one")]: gauge([[days(limit + 0.5), 30]]) },
            at: { "10m": [], "29m": [] },
        },
        {
            why: "a renewed one is no trouble, although the gateway still reports the old one",
            series: {
                [served("one")]: gauge([[days(limit - 0.5), 30]]),
                [served("one", 2)]: gauge([[days(90), 30]]),
            },
            at: { "10m": [], "29m": [] },
        },
        {
            why: "one that only some pods of the gateway have renewed is trouble",
            series: {
                [served("one")]: gauge([[days(limit - 0.5), 30]]),
                [served("one", 2)]: gauge([[days(90), 30]]),
                [served("one", 1, "b")]: gauge([[days(limit - 0.5), 30]]),
            },
            at: { "10m": [one] },
        },
        {
            why: "names the certificate, from either source",
            series: {
                [served("one")]: gauge([[days(90), 30]]),
                [issued("two")]: gauge([[days(limit - 0.5), 30]]),
            },
            at: { "10m": [two] },
        },
        {
            why: "what was not issued yet does not end",
            series: { [issued("one")]: gauge([[0, 30]]) },
            at: { "10m": [], "29m": [] },
        },
        {
            why: "does not outlive its series",
            series: { [issued("one")]: gauge([[days(limit - 0.5), 10], STALE]) },
            at: { "9m": [one], "12m": [] },
        },
    ];
}

export const CERTIFICATE_CASES: Readonly<Record<string, readonly Case[]>> = {
    CertificateExpiresSoon: ending(21),
    CertificateExpiryCritical: ending(7),
    CertificateNotReady: gaugeCases({
        series: 'certmanager_certificate_ready_status{name="one",condition="False"}',
        good: 0,
        bad: 1,
        minutes: 15,
        labels: `${LABELS},certificate="one"`,
    }),
};
