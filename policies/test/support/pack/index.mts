import { PolicyPack } from "@pulumi/policy";
import { toPulumiPolicies } from "../../../engine/pack.ts";
import { budget, workingDir } from "../rules.ts";

/** A pack of test rules: one with remediation and one about the whole stack. */
new PolicyPack("tests", { policies: toPulumiPolicies([budget, workingDir]) });
