import {
    ARMS,
    armOf,
    blockOf,
    UNITS,
    unitOfUser,
    type Experiment,
} from "@property-search/contract";
import { Type } from "typebox";

import { HttpError, invalidFieldError } from "../../http/protocol/error.ts";
import { parseUser } from "../../http/protocol/user.ts";
import { ANONYMOUS } from "../../requestContext.ts";
import type { AdminRoutes } from "../server.ts";
import { Failure, strict } from "./schemas.ts";

const Value = Type.Union([Type.Integer(), Type.String()]);

const Listed = Type.Object({
    name: Type.String(),
    parameter: Type.String(),
    unit: Type.Enum([...UNITS]),
    control: Value,
    treatment: Value,
    percent: Type.Integer({ description: "Share of the units with the treatment" }),
    salt: Type.String({ description: "Part of the hash that assigns the units" }),
});

const Question = strict({
    name: Type.String({ description: "Name of an experiment with unit user" }),
    tenant: Type.String({
        minLength: 1,
        maxLength: 128,
        default: ANONYMOUS,
        description: "ID of the tenant, not of its pool",
    }),
    // No schema: the parser of client requests validates it.
    user: Type.Optional(Type.Unsafe<unknown>({ description: "As in the client's request" })),
});

const Assignment = Type.Object({
    block: Type.Integer(),
    arm: Type.Enum([...ARMS]),
    value: Value,
});

/** Routes that show the experiments and the arm of a user. */
export function experimentRoutes(experiments: readonly Experiment[]): AdminRoutes {
    return (app) => {
        app.get(
            "/experiments",
            {
                schema: {
                    summary: "List the experiments of the stack's config",
                    response: { 200: Type.Array(Listed), "4xx": Failure },
                },
            },
            () => [...experiments],
        );
        app.post(
            "/experiments/assign",
            {
                schema: {
                    summary: "Get the arm of a user",
                    body: Question,
                    response: { 200: Assignment, "4xx": Failure },
                },
            },
            ({ body: { name, tenant, user: field } }) => {
                const byUser = experiments.filter(({ unit }) => unit === "user");
                const experiment = byUser.find((one) => one.name === name);
                if (!experiment) {
                    const allowed = byUser.map((one) => one.name).join(", ");
                    throw new HttpError(
                        404,
                        `name is ${JSON.stringify(name.slice(0, 64))}; allowed: an experiment with unit user${allowed && `, such as ${allowed}`}`,
                        { param: "name", code: "no_such_experiment" },
                    );
                }
                const user = parseUser(field);
                if (user === undefined)
                    throw invalidFieldError(
                        "user",
                        "user is missing or blank; allowed: a text, since requests without a user are in no arm",
                    );
                const block = blockOf(experiment.salt, unitOfUser(tenant, user));
                const arm = armOf(experiment, block);
                return { block, arm, value: experiment[arm] };
            },
        );
    };
}
