import { CERTIFICATES_NAMESPACE, GATEWAY_NAME, NAMESPACES } from "@property-search/contract";

export interface MatchCondition {
    readonly name: string;
    readonly expression: string;
}

/** Labels that operators put on the pods, and on the owners of pods, that they make beside the Gateway. */
const MADE_BY_OPERATORS: Readonly<Record<string, string>> = {
    "acme.cert-manager.io/http01-solver": "true",
    "gateway.networking.k8s.io/gateway-name": GATEWAY_NAME,
};

/** Rules that cert-manager's chart has no values for: two of its parts have no port that tells of readiness. */
const NOT_FOR_CERT_MANAGER = [
    "readiness-probe",
    "liveness-probe",
    "startup-probe",
    "probe-port",
    "probe-timing",
];

/**
 * Conditions under which a rule checks an object at all. Solvers of certificate challenges and proxies that a
 * gateway's controller makes are what their operators make them, and nobody of the stack could mend them: Pod
 * Security, the quota and the network policies of their namespace bound them. People are not taken for operators.
 */
export function foreignConditions(rule: string): MatchCondition[] {
    const labelled = Object.entries(MADE_BY_OPERATORS).map(
        ([key, value]) => `object.metadata.?labels['${key}'].orValue('') == '${value}'`,
    );
    const byOperator = [
        `request.namespace == '${NAMESPACES.edge}'`,
        "request.userInfo.username.startsWith('system:serviceaccount:')",
        `(${labelled.join(" || ")})`,
    ].join(" && ");
    return [
        { name: "not-of-an-operator", expression: `!(${byOperator})` },
        ...(NOT_FOR_CERT_MANAGER.includes(rule)
            ? [
                  {
                      name: "not-of-cert-manager",
                      expression: `request.namespace != '${CERTIFICATES_NAMESPACE}'`,
                  },
              ]
            : []),
    ];
}
