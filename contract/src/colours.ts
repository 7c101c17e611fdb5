/** The two colours of the deployment. Outside a release, exactly one of them is active. */
export const COLOURS = ["blue", "green"] as const;

export type Colour = (typeof COLOURS)[number];

/** One value per colour. */
export type PerColour<T> = Readonly<Record<Colour, T>>;

export function isColour(value: unknown): value is Colour {
    return COLOURS.some((colour) => colour === value);
}

export function otherColour(colour: Colour): Colour {
    return colour === "blue" ? "green" : "blue";
}

/** Builds one value per colour, blue first. */
export function perColour<T>(build: (colour: Colour) => T): PerColour<T> {
    return { blue: build("blue"), green: build("green") };
}
