/** An error that the user can fix. Commands print its message, but the stack of any other error. */
export class UserError extends Error {
    override readonly name: string = "UserError";
}

/**
 * Creates the error of an invalid argument: `STACK is "pord"; allowed: …`.
 *
 * @param name as users type it: a make variable or a flag
 * @param value empty means not set: make passes all of its variables
 * @param hint text after the allowed values, such as a suggestion
 */
export function invalidValue(name: string, value: string, allowed: string, hint = ""): UserError {
    const actual = value === "" ? "is not set" : `is ${JSON.stringify(value)}`;
    return new UserError(`${name} ${actual}; allowed: ${allowed}${hint}`);
}
