import * as pulumi from "@pulumi/pulumi";
import { loadConfig, type StackConfig } from "../../config.ts";
import { ConfigReader } from "../../config/reader.ts";
import { stackConfig } from "../../render/stackConfig.ts";

/**
 * Loads the config of a stack with other values for some keys.
 *
 * @param stack Default: dev.
 * @param read Default: a new one.
 * @throws pulumi.RunError when the config is wrong.
 */
export function loadStack(
    change: Readonly<Record<string, string>> = {},
    stack = "dev",
    read = readerOf("property-search"),
): StackConfig {
    const { values, secretKeys } = stackConfig(stack, undefined, change);
    pulumi.runtime.setAllConfig({ ...values }, [...secretKeys]);
    try {
        return loadConfig(read);
    } finally {
        pulumi.runtime.setAllConfig({});
    }
}

/** pulumi.Config takes its name from the project, which outside of a program is none. */
export function readerOf(project: string): ConfigReader {
    return new ConfigReader(new pulumi.Config(project));
}
