import { describe, expect, jest, test } from "@jest/globals";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import type { Cluster } from "../../cluster/connect.ts";
import { lockCluster } from "../../rehearse/clusterLock.ts";
import {
    checkExercise,
    EXERCISES,
    resetExercise,
    startExercise,
    type CourseOptions,
} from "../../training/course.ts";
import type { Exercise } from "../../training/exercise.ts";

const folder = makeTemporaryFolder();
// The lock of the cluster is there too.
process.env.XDG_STATE_HOME = folder;

/** Nothing but the identity of the cluster, whose context the user confirms. */
const read = ({ kind }: { readonly kind: string }) =>
    kind === "Namespace"
        ? Promise.resolve({ metadata: { uid: "some-cluster" } })
        : Promise.reject(Object.assign(new Error("not found"), { code: 404 }));
const options: CourseOptions = {
    cluster: { context: "some", server: "", objects: { read } } as unknown as Cluster,
    ...{ stack: "local", confirm: "some", signal: undefined, report: () => undefined, folder },
};

describe("the course", () => {
    test("does not call an exercise solved whose set-up was interrupted", async () => {
        const [exercise] = EXERCISES as [Exercise];
        jest.spyOn(exercise, "prepare").mockResolvedValue({});
        jest.spyOn(exercise, "check").mockResolvedValue([]);
        const reset = jest.spyOn(exercise, "reset").mockResolvedValue(undefined);
        const setUp = jest.spyOn(exercise, "setUp").mockRejectedValueOnce(new Error("killed"));
        await expect(startExercise(1, options)).rejects.toThrow("killed");
        await expect(checkExercise(1, options)).rejects.toThrow(
            /the start of exercise 1 did not end.*RESET=1/,
        );
        await resetExercise(1, options);
        expect(reset).toHaveBeenCalledTimes(1);

        setUp.mockResolvedValueOnce(undefined);
        await startExercise(1, options);
        expect(await checkExercise(1, options)).toEqual([]);
    });

    test.each([
        ["start", startExercise],
        ["CHECK", checkExercise],
        ["RESET", resetExercise],
    ])("%s waits for no other command on the cluster", async (_, step) => {
        const release = await lockCluster("some-cluster", "make rehearse NAME=a", "exercise");
        await expect(step(2, options)).rejects.toThrow("make rehearse NAME=a is running");
        await release();
    });
});
