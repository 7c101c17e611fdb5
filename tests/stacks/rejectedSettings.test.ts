import { describe, expect, test } from "@jest/globals";
import { podPlacement } from "../../components/placement.ts";
import { checkSolver } from "../../config/dns01.ts";
import { loadStack } from "../support/loadStack.ts";

type Change = Readonly<Record<string, string>>;

const ACME = {
    "certificates.enabled": "true",
    "edge.hostname": "embeddings.example.com",
    "certificates.email": "platform@example.com",
};

/** Each was once accepted, and then rejected by the API server, a controller or the kubelet, or had no effect. */
describe("rejects", () => {
    test.each<[string, Change, RegExp]>([
        [
            "a control plane of proxies outside the Gateway's namespace",
            { "edge.controlPlane": "istio-system:15012" },
            /edge\.controlPlane is set, and has no effect; .* since the gateway's pods are in "traefik"/,
        ],
        [
            "Traefik's Middleware on a route of Envoy Gateway",
            { "edge.controller": "envoy-gateway", "edge.retryFilter": "traefik" },
            /edge\.retryFilter is "traefik"; allowed: preset, none, gateway-api, since edge\.controller is envoy-gateway/,
        ],
        [
            "Envoy Gateway's policy on a route of Traefik",
            { "edge.retryFilter": "envoy-gateway" },
            /edge\.retryFilter is "envoy-gateway"; .* since edge\.controller is traefik/,
        ],
        [
            "a DNS-01 secret without DNS-01",
            { ...ACME, "certificates.dns01Secret": "token" },
            /certificates\.dns01Secret is set, and has no effect; .* since certificates\.challenge is http01/,
        ],
        [
            "a kind of issuer that cert-manager's own group does not have",
            {
                ...ACME,
                "certificates.issuer": "existing",
                "certificates.issuerName": "internal",
                "certificates.issuerKind": "AWSPCAIssuer",
            },
            /certificates\.issuerKind is "AWSPCAIssuer"; allowed: ClusterIssuer, Issuer, since certificates\.issuerGroup is cert-manager\.io/,
        ],
    ])("%s", (_, change, says) => {
        expect(() => loadStack(change)).toThrow(says);
    });

    test.each<[unknown, RegExp]>([
        [{ cloudflare: null }, /has cloudflare null; allowed: an object/],
        [{ cloudflare: {} }, /neither apiTokenSecretRef nor apiKeySecretRef; allowed: one of them/],
        [{ cloudflare: { apiTokenSecretRef: { name: "a" } } }, /has cloudflare\.apiTokenSecretRef/],
        [
            { digitalocean: { tokenSecretRef: { name: "A_b", key: "c" } } },
            /digitalocean\.tokenSecret/,
        ],
        [
            { digitalocean: { tokenSecretRef: { name: "a", key: "b/c" } } },
            /digitalocean\.tokenSecret/,
        ],
        [{ webhook: { groupName: "acme.example.com" } }, /has no webhook\.solverName/],
        [{ cloudDNS: { project: "" } }, /has no cloudDNS\.project/],
        [{ route53: {}, cnameStrategy: "x" }, /has cnameStrategy "x"; allowed: None, Follow/],
    ])("the solver %j", (solver, says) => {
        expect(checkSolver(solver).errors.join()).toMatch(says);
    });
});

test.each([
    { cloudflare: { apiTokenSecretRef: { name: "a", key: "b" } }, cnameStrategy: "Follow" },
    { route53: {} },
    { webhook: { groupName: "acme.example.com", solverName: "own", config: { any: 1 } } },
])("cert-manager's solver %j is accepted", (solver) => {
    expect(checkSolver(solver).errors).toEqual([]);
});

test("an issuer that does not use a challenge needs no solver for it", () => {
    const change = { "certificates.issuer": "selfSigned", "certificates.challenge": "dns01" };
    const { warnings } = loadStack({ ...ACME, "certificates.email": "", ...change });
    expect(warnings).toContain(
        'certificates.challenge is set and has no effect, since certificates.issuer is "selfSigned"',
    );
});

test("a Secret for pulls is listed once: the API server rejects a pod that has it twice", () => {
    const { placement } = loadStack({
        "images.pullSecrets": '["mirror","mirror","registry-credentials"]',
        "images.dockerConfigJson": '{"auths":{"registry.example.com":{"auth":"dXNlcjpwYXNz"}}}',
    });
    expect(podPlacement(placement).imagePullSecrets).toEqual([
        { name: "mirror" },
        { name: "registry-credentials" },
    ]);
});
