import { UserError } from "@property-search/contract";

/** Something that the user can mend; its message says what is missing and how to get it. */
export class BenchError extends UserError {
    override readonly name = "BenchError";
}
