import * as k8s from "@pulumi/kubernetes";

/**
 * The provider of the stack's cluster. The SDK copies settings of the environment, such as the path of a kubeconfig,
 * into the state: an update from another machine would change the provider, or find no such file. This provider leaves
 * them out, since its plugin reads the same environment.
 */
export function clusterProvider(args: Pick<k8s.ProviderArgs, "context">): k8s.Provider {
    const props = { ...args, ...UPDATE_IN_PLACE };
    return new k8s.Provider("cluster", props, {
        transformations: [({ opts }) => ({ props: { ...props }, opts })],
    });
}

/** By default the provider deletes a changed Secret or ConfigMap and creates it again; a starting pod would fail meanwhile. */
const UPDATE_IN_PLACE = { enableSecretMutable: true, enableConfigMapMutable: true };
