import path from "node:path";

import { BenchError } from "../../../shared/benchError.ts";
import { runToEnd } from "../../../shared/runToEnd.ts";
import { service, type Service, type Settings } from "./service.ts";

const FETCH = path.resolve(import.meta.dirname, "../../../../app/model/fetch.sh");

let directory = "";

/** @returns the directory of the model, once it is installed */
export const modelDirectory = (): string => directory;

/** The service with the model in worker threads. */
export const localModel: Service & { readonly model: string } = {
    ...service("this service, local model", "the service with its local model", (): Settings => ({
        provider: "local",
        model: "all-MiniLM-L6-v2",
        modelDirectory: directory,
    })),
    model: "all-MiniLM-L6-v2",
    install: async (showProgress) => {
        showProgress("the local model");
        const { status, stdout, stderr } = await runToEnd(FETCH);
        if (status !== 0) throw new BenchError(`the model is not available: ${stderr}`);
        directory = stdout;
    },
};
