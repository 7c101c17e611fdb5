import { UserError } from "@property-search/contract";

/** A sentence for the user: the release cannot go on as asked, and this is why. */
export class ReleaseError extends UserError {
    override readonly name: string = "ReleaseError";
}

/** What the stack's owner rejects as it is: the same update again would be rejected again. */
export class Rejected extends ReleaseError {
    override readonly name = "Rejected";
}

/** Another driver has taken over; this one must not write any more. */
export class Superseded extends ReleaseError {
    override readonly name = "Superseded";
}
