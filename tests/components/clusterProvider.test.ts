import { expect, test } from "@jest/globals";
import { clusterProvider } from "../../components/clusterProvider.ts";
import { declared } from "../support/program.ts";

process.env.KUBECONFIG = "/home/somebody/.kube/config";
process.env.PULUMI_K8S_ENABLE_PATCH_FORCE = "true";
process.env.PULUMI_K8S_UPSERT_EXISTING_OBJECTS = "true";

test.each([{ context: "prod" }, {}])(
    "the state contains %j of the provider and how it updates, and nothing about the updating user",
    async (args) => {
        const all = await declared(() => clusterProvider(args));
        expect(all.one("pulumi:providers:kubernetes").inputs).toEqual({
            ...args,
            enableSecretMutable: true,
            enableConfigMapMutable: true,
        });
    },
);
