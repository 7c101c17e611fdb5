import { repository } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "image-registry",
        "an image from anywhere",
        (one) =>
            (one.image = `images.example.net/${repository(one.image).split("/").pop()}:v1.2.3`),
    ),
];
