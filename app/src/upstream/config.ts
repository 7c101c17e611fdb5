import { apiKeysFor, partsOfList, SERVICE_SETTINGS } from "@property-search/contract/settings";

import { emptyToUndefined, parseBaseUrl, type SettingsReader } from "../settingsReader.ts";

export type ProviderConfig =
    | { readonly name: "local"; readonly directory: string; readonly threads: number }
    | {
          readonly name: "openai";
          readonly url: URL;
          readonly fallbacks: readonly Fallback[];
          readonly apiKey: string | undefined;
          readonly revision: string | undefined;
          /** Maximum inputs per call. */
          readonly batchSize: number;
          readonly proxy: ProxyConfig;
      };

/** Another endpoint of the same model, with an API key of its own if it needs one. */
export interface Fallback {
    readonly url: URL;
    readonly apiKey: string | undefined;
}

/** Forward proxies to the upstream. */
export interface ProxyConfig {
    readonly httpUrl: URL | undefined;
    readonly httpsUrl: URL | undefined;
    /** Comma-separated hosts that are reached without a proxy. */
    readonly exceptHosts: string | undefined;
}

export function readProviderConfig(read: SettingsReader): ProviderConfig {
    const { values } = read;
    if (values.provider === "local") {
        if (values.modelDirectory === "") {
            read.addError(
                "modelDirectory",
                "the folder with model.onnx and tokenizer.json; `make model` fetches them and prints it",
            );
        }
        return { name: "local", directory: values.modelDirectory, threads: values.modelThreads };
    }
    if (!read.isSet("upstreamUrl")) {
        read.addError(
            "upstreamUrl",
            `${SERVICE_SETTINGS.upstreamUrl.words}, since the provider is openai`,
        );
    }
    const url = parseBaseUrl(values.upstreamUrl || "http://missing.invalid");
    return {
        name: "openai",
        url,
        fallbacks: readFallbacks(read, url),
        apiKey: emptyToUndefined(values.upstreamApiKey),
        revision: emptyToUndefined(values.revision),
        batchSize: values.upstreamBatchSize,
        proxy: {
            httpUrl: values.httpProxy === "" ? undefined : new URL(values.httpProxy),
            httpsUrl: values.httpsProxy === "" ? undefined : new URL(values.httpsProxy),
            exceptHosts: emptyToUndefined(values.noProxy),
        },
    };
}

/** The primary's API key is sent to the primary's origin only: another host has its own key, or none. */
function readFallbacks(read: SettingsReader, primary: URL): readonly Fallback[] {
    const { upstreamFallbackUrls, upstreamFallbackApiKeys, upstreamApiKey } = read.values;
    const urls = partsOfList(upstreamFallbackUrls).map(parseBaseUrl);
    const { fits, words } = apiKeysFor(SERVICE_SETTINGS.upstreamFallbackUrls.env, urls.length);
    if (upstreamFallbackApiKeys !== "" && !fits(upstreamFallbackApiKeys)) {
        read.addError("upstreamFallbackApiKeys", words);
    }
    const keys = partsOfList(upstreamFallbackApiKeys);
    return urls.map((url, at) => {
        const primaryKey = url.origin === primary.origin ? upstreamApiKey : "";
        return { url, apiKey: emptyToUndefined(keys[at]) ?? emptyToUndefined(primaryKey) };
    });
}
