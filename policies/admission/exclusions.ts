import { CERTIFICATES_NAMESPACE, GATEWAY_NAME, NAMESPACES } from "@property-search/contract";

export interface MatchCondition {
    readonly name: string;
    readonly expression: string;
}

/** Labels that operators set on the pods that they create for the Gateway, and on their owners. */
const OPERATOR_LABELS: Readonly<Record<string, string>> = {
    "acme.cert-manager.io/http01-solver": "true",
    "gateway.networking.k8s.io/gateway-name": GATEWAY_NAME,
};

/** Rules that cert-manager's chart cannot satisfy: two of its components have no port for readiness. */
const CERT_MANAGER_EXCLUSIONS = [
    "readiness-probe",
    "liveness-probe",
    "startup-probe",
    "probe-port",
    "probe-timing",
];

/**
 * Match conditions that exclude objects of operators: solvers of certificate challenges and proxies of a gateway's
 * controller, which the stack cannot change. Pod Security, quota and network policies of their namespace still apply.
 * Only service accounts count as operators.
 */
export function exclusionConditions(rule: string): MatchCondition[] {
    const labelled = Object.entries(OPERATOR_LABELS).map(
        ([key, value]) => `object.metadata.?labels['${key}'].orValue('') == '${value}'`,
    );
    const byOperator = [
        `request.namespace == '${NAMESPACES.edge}'`,
        "request.userInfo.username.startsWith('system:serviceaccount:')",
        `(${labelled.join(" || ")})`,
    ].join(" && ");
    return [
        { name: "not-from-operator", expression: `!(${byOperator})` },
        ...(CERT_MANAGER_EXCLUSIONS.includes(rule)
            ? [
                  {
                      name: "not-cert-manager",
                      expression: `request.namespace != '${CERTIFICATES_NAMESPACE}'`,
                  },
              ]
            : []),
    ];
}
