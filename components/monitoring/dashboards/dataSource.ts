import { DATA_SOURCE_UID } from "@property-search/contract";

export const DATA_SOURCE = { type: "prometheus", uid: DATA_SOURCE_UID } as const;
