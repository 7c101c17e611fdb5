import type { PolicyConfigSchema } from "@pulumi/policy";
import type {
    PolicyConfigJSONSchemaTypeName,
    PolicyConfigJSONSchema,
} from "@pulumi/policy/schema.js";
import { isJson, asList, type Json } from "../kubernetes/object.ts";
import { createSchema } from "./config.ts";
import type { Rule } from "./rule.ts";

/** Creates a rule's schema for the engine, which fills in defaults: a field with a default is not required. */
export function createConfigSchema(rule: Rule): PolicyConfigSchema {
    // Through JSON, which drops typebox's own markers.
    const { properties, required } = JSON.parse(JSON.stringify(createSchema(rule))) as {
        properties: Readonly<Record<string, Json>>;
        required?: readonly string[];
    };
    const withoutDefault = required?.filter((key) => properties[key]?.default === undefined) ?? [];
    return {
        properties: Object.fromEntries(
            Object.entries(properties).map(([key, value]) => [key, convertSchema(value)]),
        ),
        ...(withoutDefault.length > 0 && { required: withoutDefault }),
    };
}

/** Converts `anyOf`, which the SDK does not support, to an `enum` or a list of types. */
function convertSchema(schema: Json): PolicyConfigJSONSchema {
    const inner = Object.fromEntries(
        Object.entries(schema).map(([key, value]) => [
            key,
            isJson(value) ? convertSchema(value) : value,
        ]),
    );
    if (!("anyOf" in schema)) return inner;
    const { anyOf, ...rest } = schema;
    const options = asList(anyOf);
    if (options.every((one) => "const" in one)) {
        return { ...rest, enum: options.map((one) => one.const as string) };
    }
    if (options.every((one) => Object.keys(one).join() === "type")) {
        return { ...rest, type: options.map((one) => one.type as PolicyConfigJSONSchemaTypeName) };
    }
    throw new Error(`the SDK's schema cannot express ${JSON.stringify(schema)}`);
}
