import type { PolicyConfigSchema } from "@pulumi/policy";
import type {
    PolicyConfigJSONSchemaTypeName,
    PolicyConfigJSONSchema,
} from "@pulumi/policy/schema.js";
import { isJson, list, type Json } from "../kubernetes/object.ts";
import { schemaOf } from "./config.ts";
import type { Rule } from "./rule.ts";

/** What may be set of a rule, as the engine checks it and fills in defaults: so nothing with a default is required. */
export function configSchemaOf(rule: Rule): PolicyConfigSchema {
    // Through JSON: the schema's own marks are no part of it.
    const { properties, required } = JSON.parse(JSON.stringify(schemaOf(rule))) as {
        properties: Readonly<Record<string, Json>>;
        required?: readonly string[];
    };
    const asked = required?.filter((key) => properties[key]?.default === undefined) ?? [];
    return {
        properties: Object.fromEntries(
            Object.entries(properties).map(([key, value]) => [key, choices(value)]),
        ),
        ...(asked.length > 0 && { required: asked }),
    };
}

/** The SDK knows no `anyOf`: one of constants is an `enum`, one of types a list of them. */
function choices(schema: Json): PolicyConfigJSONSchema {
    const inner = Object.fromEntries(
        Object.entries(schema).map(([key, value]) => [key, isJson(value) ? choices(value) : value]),
    );
    if (!("anyOf" in schema)) return inner;
    const { anyOf, ...rest } = schema;
    const options = list(anyOf);
    if (options.every((one) => "const" in one)) {
        return { ...rest, enum: options.map((one) => one.const as string) };
    }
    if (options.every((one) => Object.keys(one).join() === "type")) {
        return { ...rest, type: options.map((one) => one.type as PolicyConfigJSONSchemaTypeName) };
    }
    throw new Error(`no words of the SDK's schema for ${JSON.stringify(schema)}`);
}
