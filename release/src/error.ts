/** A sentence for the user: the release cannot go on as asked, and this is why. */
export class ReleaseError extends Error {
    override readonly name: string = "ReleaseError";
}

/** Another driver has taken over; this one must not write any more. */
export class Superseded extends ReleaseError {
    override readonly name = "Superseded";
}
