import { UserError } from "@property-search/contract";

/** An error that the user can fix: its message names what is missing and how to get it. */
export class BenchError extends UserError {
    override readonly name = "BenchError";
}
