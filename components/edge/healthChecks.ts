import { COLOURS, PATHS, PORTS, type PerColour } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";

/** Classes of GKE's own load balancers, which send to pods and know nothing of their probes. */
const GKE_CLASSES = "gke-l7-";

/** The gateway, and the Service of each colour that it sends requests to. */
interface CheckedGateway {
    readonly gatewayClassName: string;
    readonly backends: PerColour<{
        readonly namespace: pulumi.Input<string>;
        readonly serviceName: pulumi.Input<string>;
    }>;
}

/**
 * What GKE's load balancers ask of a backend. Without, it is GET /, which the service answers with 404, and
 * no backend is healthy.
 *
 * @see https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gateway-resources#configure_health_check
 */
export function healthChecks(
    name: string,
    { gatewayClassName, backends }: CheckedGateway,
    child: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    if (!gatewayClassName.startsWith(GKE_CLASSES)) return [];
    const called = "gateway-health";
    return COLOURS.map(
        (colour) =>
            new k8s.apiextensions.CustomResource(
                `${name}-health-${colour}`,
                {
                    apiVersion: "networking.gke.io/v1",
                    kind: "HealthCheckPolicy",
                    metadata: {
                        name: called,
                        namespace: backends[colour].namespace,
                        labels: standardLabels({ name: called, component: "edge", colour }),
                    },
                    spec: {
                        default: {
                            checkIntervalSec: 5,
                            timeoutSec: 3,
                            healthyThreshold: 1,
                            unhealthyThreshold: 2,
                            config: {
                                type: "HTTP",
                                httpHealthCheck: { port: PORTS.service, requestPath: PATHS.ready },
                            },
                        },
                        targetRef: {
                            group: "",
                            kind: "Service",
                            name: backends[colour].serviceName,
                        },
                    },
                },
                child,
            ),
    );
}
