import { COLOURS, PATHS, PORTS, type Colour, type PerColour } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";

/** Prefix of the classes of GKE's load balancers, which ignore the probes of pods. */
const GKE_CLASSES = "gke-l7-";

/** The gateway class, and the Services behind the gateway. */
interface CheckedGateway {
    readonly gatewayClassName: string;
    readonly backends: PerColour<CheckedService>;
    readonly impact?: CheckedService | undefined;
    readonly example?: CheckedService | undefined;
}

interface CheckedService {
    readonly namespace: pulumi.Input<string>;
    readonly serviceName: pulumi.Input<string>;
}

/**
 * Health checks of GKE's load balancers. The default is GET /, which the service answers with 404, so that no backend
 * would be healthy.
 *
 * @see https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources#configure_health_check
 */
export function healthChecks(
    name: string,
    { gatewayClassName, backends, impact, example }: CheckedGateway,
    child: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    if (!gatewayClassName.startsWith(GKE_CLASSES)) return [];
    const objectName = "gateway-health";
    const check = (role: string, service: CheckedService, port: number, colour?: Colour) =>
        new k8s.apiextensions.CustomResource(
            `${name}-health-${role}`,
            {
                apiVersion: "networking.gke.io/v1",
                kind: "HealthCheckPolicy",
                metadata: {
                    name: objectName,
                    namespace: service.namespace,
                    labels: standardLabels({
                        name: objectName,
                        component: "edge",
                        ...(colour && { colour }),
                    }),
                },
                spec: {
                    default: {
                        checkIntervalSec: 5,
                        timeoutSec: 3,
                        healthyThreshold: 1,
                        unhealthyThreshold: 2,
                        config: {
                            type: "HTTP",
                            httpHealthCheck: { port, requestPath: PATHS.ready },
                        },
                    },
                    targetRef: { group: "", kind: "Service", name: service.serviceName },
                },
            },
            child,
        );
    return [
        ...COLOURS.map((colour) => check(colour, backends[colour], PORTS.service, colour)),
        ...(impact ? [check("impact", impact, PORTS.insights)] : []),
        ...(example ? [check("example", example, PORTS.example)] : []),
    ];
}
