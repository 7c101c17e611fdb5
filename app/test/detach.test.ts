import { afterEach, expect, jest, test } from "@jest/globals";

import { detach } from "../src/detach.ts";

afterEach(() => {
    jest.restoreAllMocks();
});

test("an error of detached work is reported on stderr, and ends nothing", async () => {
    const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const error = new Error("out of something");
    detach(Promise.reject(error));
    await new Promise(setImmediate);
    expect(warned).toHaveBeenCalledWith(error);
});
