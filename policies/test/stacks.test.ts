import { expect, test } from "@jest/globals";
import { policyFlags } from "../../deploy/src/pulumi/policies.ts";
import { admissionOf } from "../admission/index.ts";
import { policiesOf } from "../stacks.ts";

test("a stack without policies of its own has the strictest ones, asked by whatever asks", () => {
    expect(policiesOf("staging")).toEqual(policiesOf("prod"));
    expect(policiesOf("staging")).not.toEqual(policiesOf("dev"));
    expect(admissionOf("staging")).toEqual(admissionOf("prod"));
    expect(policyFlags("staging")).toEqual(policyFlags("prod"));
    expect(policyFlags("dev").at(-1)).toMatch(/stacks\/dev\.json$/);
});
