import { Type } from "typebox";

import { ANONYMOUS } from "../../requestContext.ts";

/** An object schema without additional properties. */
export function strict<T extends Parameters<typeof Type.Object>[0]>(fields: T) {
    return Type.Object(fields, { additionalProperties: false });
}

export const Tenant = Type.String({
    minLength: 1,
    maxLength: 128,
    default: ANONYMOUS,
    description: "Pool of the entries: the tenant's ID, unless tenants.list sets another",
});

export const Key = Type.String({
    pattern: "^[A-Za-z0-9_-]{43}$",
    description: "Key of an entry, as in the responses of inspect and hot-keys",
});

export const Actor = Type.String({
    minLength: 1,
    maxLength: 128,
    description: "Author of the change",
});

export function reasonField(description: string) {
    return Type.String({ minLength: 1, maxLength: 500, description });
}

export const Failure = Type.Object(
    {
        error: Type.Object({
            message: Type.String(),
            type: Type.String(),
            param: Type.Union([Type.String(), Type.Null()]),
            code: Type.Union([Type.String(), Type.Null()]),
        }),
    },
    { description: "Error; the message names field, value and what is allowed" },
);
