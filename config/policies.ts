import { createAdmissionObjects, type AdmissionObject } from "@property-search/policies/admission";
import * as pulumi from "@pulumi/pulumi";
import { readRegistry } from "./images.ts";
import type { ConfigReader } from "./reader.ts";

/** Rules that the API server enforces; none where they are off. */
export function readAdmission(read: ConfigReader): readonly AdmissionObject[] {
    if (!read.boolean("policies.admission")) return [];
    return createAdmissionObjects(pulumi.getStack(), readRegistry(read));
}
