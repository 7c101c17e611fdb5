import { parseImage, isPublic } from "@property-search/policies/images";

/** Whether a text is the host of a registry with an optional path: the prefix of an image's name. */
export function isRegistry(text: string): boolean {
    return parseImage(`${text}/image`)?.name === `${text}/image`;
}

/**
 * The reference of a public image in a mirror: `redis:8.2.3` in `registry.example.com/mirror` is
 * `registry.example.com/mirror/library/redis:8.2.3`. Other images are returned unchanged.
 */
export function toMirror(image: string, registry: string): string {
    const parts = parseImage(image);
    if (!parts || !isPublic(parts.name)) return image;
    const path = parts.name.slice(parts.name.indexOf("/") + 1);
    return `${registry}/${path}${image.slice(parts.writtenName.length)}`;
}
