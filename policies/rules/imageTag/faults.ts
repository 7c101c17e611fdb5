import { repository } from "../../faults/drafts.ts";
import { inContainers, type Fault } from "../../faults/fault.ts";

export const faults: readonly Fault[] = [
    inContainers(
        "image-tag",
        "the tag latest",
        (one) => (one.image = `${repository(one.image)}:latest`),
    ),
    inContainers("image-tag", "no tag", (one) => (one.image = repository(one.image))),
];
