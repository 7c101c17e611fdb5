import { expect, test } from "@jest/globals";
import { parseRuleConfig } from "../../engine/config.ts";
import { evaluate } from "../../engine/evaluate.ts";
import { formatMessage } from "../../engine/message.ts";
import { toObjects, resourceToObjects } from "../../kubernetes/object.ts";
import { describeRule } from "../../test/support/describeRule.ts";
import { object } from "../../test/support/manifests.ts";
import { secretValues } from "./rule.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (fields: object) => object("v1", "Secret", { ...fields });
const written = secret({ stringData: { password: "hunter2" }, data: { token: base64("abc") } });

describeRule(secretValues, {
    compliant: {
        "Secrets without values, and with what is filled in later": {
            objects: [
                secret({}),
                secret({
                    stringData: { password: "[secret]", a: "", b: "${PASSWORD}", c: "<token>" },
                }),
                secret({ data: { password: base64("{{ password }}") } }),
                object("v1", "ConfigMap", { data: { a: "b" } }),
            ],
        },
        "files without any secret in them": {
            objects: [
                secret({ stringData: { "grafana.ini": "[date]\ndefault_timezone = UTC\n" } }),
            ],
        },
        "keys that are no secrets": {
            objects: [secret({ stringData: { username: "admin", "ca.crt": "-----BEGIN" } })],
        },
        "what the stack knows to be harmless": {
            objects: [secret({ stringData: { demo: "abc" } })],
            settings: { harmless: ["demo"] },
        },
    },
    violating: {
        "values that are written down": {
            objects: [written],
            says: [
                "Secret search/service: contains the value of token in plain text (data[token])",
                "Secret search/service: contains the value of password in plain text (stringData[password])",
            ],
        },
        "files with one": {
            objects: [
                secret({ stringData: { "grafana.ini": "[security]\nadmin_password = hunter2\n" } }),
            ],
            says: [
                "Secret search/service: contains the value of grafana.ini in plain text (stringData[grafana.ini])",
            ],
        },
    },
    needs: { case: "values that are written down", fields: ["0/stringData/password", "0/data"] },
    ignores: { case: "values that are written down", fields: ["0/metadata"] },
});

test("secret-values shows no value, and reports none of a program's", () => {
    const { violations } = evaluate(
        secretValues,
        parseRuleConfig(secretValues),
        toObjects(written),
    );
    expect(violations.map(formatMessage).join("\n")).not.toMatch(/hunter2|abc/);
    const ours = resourceToObjects(
        "kubernetes:core/v1:Secret",
        written,
        "urn:pulumi:dev::p::t::secret",
    );
    expect(evaluate(secretValues, parseRuleConfig(secretValues), ours).violations).toEqual([]);
});
