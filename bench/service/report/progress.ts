import type { WriteStream } from "node:tty";

/** One line that is written over on a terminal; elsewhere a line for each new one. */
export interface Progress {
    readonly say: (line: string) => void;
    readonly clear: () => void;
}

const COLUMNS = 79;

export function progress(stream: Pick<WriteStream, "isTTY" | "write">): Progress {
    let last = "";
    const clear = (): void => {
        if (stream.isTTY) stream.write("\r\x1b[K");
    };
    return {
        clear,
        say: (line) => {
            if (line === last) return;
            last = line;
            if (stream.isTTY) stream.write(`\r\x1b[K${line.slice(0, COLUMNS)}`);
            else stream.write(`${line}\n`);
        },
    };
}
