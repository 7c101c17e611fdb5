import { createAdmissionObjects, type AdmissionObject } from "@property-search/policies/admission";
import * as pulumi from "@pulumi/pulumi";
import type { ConfigReader } from "./reader.ts";

/** Rules that the API server enforces; none where they are off. */
export function readAdmission(read: ConfigReader): readonly AdmissionObject[] {
    if (!read.get("policies.admission")) return [];
    return createAdmissionObjects(pulumi.getStack(), read.get("images.registry"));
}
