import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "../../../engine/pack.ts";
import { budget, workingDir } from "../rules.ts";

/** Of rules that are the tests' own, one with a remedy and one of the whole stack. */
new PolicyPack("tests", { policies: policiesOf([budget, workingDir]) });
