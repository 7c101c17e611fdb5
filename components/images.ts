import { imageOf, isPublic } from "@property-search/policies/images";

/** Whether a text is a registry's host, with an optional path, as before an image's name. */
export function isRegistry(text: string): boolean {
    return imageOf(`${text}/image`)?.name === `${text}/image`;
}

/**
 * An image of a public registry by its path in another one: `redis:8.2.3` in `registry.example.com/mirror` is
 * `registry.example.com/mirror/library/redis:8.2.3`. Any other image is returned as it is.
 */
export function toMirror(image: string, registry: string): string {
    const parts = imageOf(image);
    if (!parts || !isPublic(parts.name)) return image;
    const path = parts.name.slice(parts.name.indexOf("/") + 1);
    return `${registry}/${path}${image.slice(parts.written.length)}`;
}
