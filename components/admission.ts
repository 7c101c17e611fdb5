import type { AdmissionObject } from "@property-search/policies/admission";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Arguments of `Admission`. */
export interface AdmissionArgs {
    /** Policies and their bindings, each with its name. */
    readonly objects: readonly AdmissionObject[];
}

/**
 * The policies that the API server enforces in the platform's namespaces, for every client. Needs Kubernetes 1.30 or
 * newer.
 */
export class Admission extends pulumi.ComponentResource {
    constructor(name: string, args: AdmissionArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Admission", name, args, opts);
        for (const { kind, metadata, spec } of args.objects) {
            const child = `${name}-${metadata.name}`;
            if (kind === "ValidatingAdmissionPolicy") {
                new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
                    `${child}-policy`,
                    { metadata, spec },
                    { parent: this },
                );
            } else {
                new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
                    `${child}-binding`,
                    { metadata, spec },
                    { parent: this },
                );
            }
        }
        this.registerOutputs({});
    }
}
