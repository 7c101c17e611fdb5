import * as k8s from "@pulumi/kubernetes";

/**
 * The provider that writes to the stack's cluster. The SDK also copies settings from the environment, such as the path
 * of a kubeconfig, into the state: an update from another machine then changes the provider, or finds no such file.
 * The plugin reads the same environment.
 */
export function clusterProvider(args: Pick<k8s.ProviderArgs, "context">): k8s.Provider {
    return new k8s.Provider("cluster", args, {
        transformations: [({ opts }) => ({ props: { ...args }, opts })],
    });
}
