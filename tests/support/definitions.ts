import Schema from "typebox/schema";
import { isJson, asJson, asList, type Json } from "../../policies/kubernetes/object.ts";
import { fetchManifests } from "../../bench/policies/thirdParty/modules.ts";
import type { Project } from "../../bench/policies/thirdParty/projects.ts";
import type { Manifest } from "../../render.ts";

/** Whose custom resources the program declares: their definitions, as a release of each project has them. */
export const DEFINITIONS: readonly Project[] = [
    {
        name: "Gateway API",
        module: "sigs.k8s.io/gateway-api",
        version: "v1.6.1",
        sum: "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=",
        files: ["config/crd/standard/*_{gateways,httproutes,referencegrants}.yaml"],
    },
    {
        name: "KEDA",
        module: "github.com/kedacore/keda/v2",
        version: "v2.20.2",
        sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
        files: ["config/crd/bases/keda.sh_*.yaml"],
    },
    {
        name: "Traefik",
        module: "github.com/traefik/traefik/v3",
        version: "v3.7.13",
        sum: "h1:T8wy9KuaFzCkmXCqAzDy7t73pBDR1DHrJe3pqXpNXTw=",
        files: ["docs/content/reference/dynamic-configuration/traefik.io_middlewares.yaml"],
    },
    {
        name: "Envoy Gateway",
        module: "github.com/envoyproxy/gateway",
        version: "v1.9.1",
        sum: "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
        files: ["charts/gateway-helm/charts/crds/crds/generated/*_backendtrafficpolicies.yaml"],
    },
    {
        name: "Cilium",
        module: "github.com/cilium/cilium",
        version: "v1.19.0",
        sum: "h1:hfPhb9TcoG3fRMA1/ExBFihEX1NpEWcUaV1jXJTkQVo=",
        files: ["pkg/k8s/apis/cilium.io/client/crds/v2/ciliumnetworkpolicies.yaml"],
    },
    {
        name: "cert-manager",
        module: "github.com/cert-manager/cert-manager",
        version: "v1.19.5",
        sum: "h1:g/R078N+wd5NFd2EUEAf4seaW8vhPek/lLcTErZonaA=",
        files: ["deploy/crds/cert-manager.io_{certificates,issuers}.yaml"],
    },
    {
        name: "Prometheus Operator",
        module: "github.com/prometheus-operator/kube-prometheus",
        version: "v0.18.0",
        sum: "h1:NHWLvZ1soAeLRC5BICwlga2p2Y33ICK4FXc4nxQ65T0=",
        files: ["manifests/setup/0{podmonitor,prometheusrule}CustomResourceDefinition.yaml"],
    },
];

/** What an API server with these definitions finds wrong with custom resources, by their schemas. */
export class Definitions {
    readonly #validators: ReadonlyMap<string, ReturnType<typeof Schema.Compile>>;

    private constructor(schemas: Iterable<readonly [string, Json]>) {
        this.#validators = new Map(
            [...schemas].map(([kind, schema]) => [kind, Schema.Compile(strict(schema))]),
        );
    }

    /** By Go's module cache, or its proxy. */
    static async read(projects = DEFINITIONS): Promise<Definitions> {
        const objects = await Promise.all(projects.map(fetchManifests));
        return new Definitions(objects.flat().flatMap(({ body }) => schemasOf(asJson(body.spec))));
    }

    /** Unknown fields among them; rules in CEL are not evaluated. */
    faultsOf(manifest: Manifest): string[] {
        const [, errors] = this.#validators
            .get(`${manifest.apiVersion} ${manifest.kind}`)
            ?.Errors(manifest) ?? [
            false,
            [{ instancePath: "", message: "has no definition", params: {} }],
        ];
        return errors.map(
            ({ instancePath, message, params }) =>
                `${manifest.kind} ${manifest.metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
        );
    }
}

function schemasOf({ group, names, versions }: Json): (readonly [string, Json])[] {
    return asList(versions).map(
        ({ name, schema }) =>
            [
                `${String(group)}/${String(name)} ${String(asJson(names).kind)}`,
                asJson(asJson(schema).openAPIV3Schema),
            ] as const,
    );
}

/** A structural schema as JSON Schema that allows the fields it names only (fieldValidation=Strict). */
function strict(schema: Json): Json {
    const { properties, items, additionalProperties, nullable, pattern, ...rest } = schema;
    const isOpen = rest["x-kubernetes-preserve-unknown-fields"] === true;
    const whole = {
        ...rest,
        // OpenAPI's formats of numbers are none of JSON Schema's.
        format: undefined,
        ...(typeof pattern === "string" && { pattern: ofEcmaScript(pattern) }),
        ...(isJson(properties) && {
            properties: Object.fromEntries(
                Object.entries(properties).map(([name, one]) => [name, strict(asJson(one))]),
            ),
            ...(!isOpen && { additionalProperties: false }),
        }),
        ...(isJson(items) && { items: strict(items) }),
        ...(isJson(additionalProperties) && { additionalProperties: strict(additionalProperties) }),
        ...(rest["x-kubernetes-int-or-string"] === true && { type: ["integer", "string"] }),
    };
    const defined = Object.fromEntries(
        Object.entries(whole).filter(([, value]) => value !== undefined),
    );
    return nullable === true ? { anyOf: [{ type: "null" }, defined] } : defined;
}

/** RE2 writes a category of one letter without braces, and flags for the rest of a pattern. */
function ofEcmaScript(pattern: string): string {
    return pattern
        .replaceAll(/\\([pP])([A-Z])/g, "\\$1{$2}")
        .replace(/\(\?([ims]+)\)(.*)$/, "(?$1:$2)");
}
