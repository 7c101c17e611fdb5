/** A sentence for the user, who can act on it: commands print its message, and of any other error its stack. */
export class UserError extends Error {
    override readonly name: string = "UserError";
}

/**
 * The error of a value that a command was given: `STACK is "pord"; allowed: …`.
 *
 * @param name as users type it: a variable of make, or a flag
 * @param value an empty one counts as not set: make passes all of its variables
 * @param hint what follows the allowed values, such as a suggestion
 */
export function notAllowed(name: string, value: string, allowed: string, hint = ""): UserError {
    const found = value === "" ? "is not set" : `is ${JSON.stringify(value)}`;
    return new UserError(`${name} ${found}; allowed: ${allowed}${hint}`);
}
