import { admissionOf, type AdmissionObject } from "@property-search/policies/admission";
import * as pulumi from "@pulumi/pulumi";
import type { ConfigReader } from "./reader.ts";

/** Rules that the API server enforces; none where they are off. */
export function readAdmission(read: ConfigReader): readonly AdmissionObject[] {
    return read.boolean("policies.admission") ? admissionOf(pulumi.getStack()) : [];
}
