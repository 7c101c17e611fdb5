import { UserError } from "@property-search/contract";

/** Error message for the user: the release cannot continue as requested. */
export class ReleaseError extends UserError {
    override readonly name: string = "ReleaseError";
}

/** The owner of the stack rejects this update permanently; a retry would fail too. */
export class Rejected extends ReleaseError {
    override readonly name = "Rejected";
}

/** Another driver has taken over; this driver must not write any more. */
export class Superseded extends ReleaseError {
    override readonly name = "Superseded";
}
