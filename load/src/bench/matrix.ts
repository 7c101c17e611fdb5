import { closedLoop } from "../generators/wrk.ts";
import { raw } from "../peers/raw/raw.ts";
import { ours } from "../peers/service/service.ts";
import type { Encoding } from "../workload.ts";
import type { Cell } from "./cell.ts";
import { atLeastTimes } from "./floors.ts";

const ENCODINGS: readonly Encoding[] = ["base64", "float"];

/** For development: the hot path beside the runtime's limit, in about a minute. */
export function quickMatrix(): readonly Cell[] {
    return ENCODINGS.map((encoding) => hits({ encoding, seconds: 2 }));
}

interface Hits {
    readonly encoding: Encoding;
    readonly seconds: number;
}

function hits({ encoding, seconds }: Hits): Cell {
    return {
        id: `hits-1536-${encoding}`,
        title: `hits, 1,536 dimensions, ${encoding}, 64 connections`,
        workload: { dimensions: 1536, encoding, items: 1, bodies: 1_024 },
        connections: 64,
        generator: closedLoop,
        service: ours,
        peers: [raw],
        seconds,
        repetitions: 6,
        floors: [atLeastTimes(ours.name, raw.name, 0.7)],
    };
}
