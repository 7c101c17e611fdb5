import type { WriteStream } from "node:tty";

/** On a terminal, one line that is overwritten; otherwise a line for each message. */
export interface Progress {
    readonly show: (line: string) => void;
    readonly clear: () => void;
}

const COLUMNS = 79;

export function createProgress(stream: Pick<WriteStream, "isTTY" | "write">): Progress {
    let last = "";
    const clear = (): void => {
        if (stream.isTTY) stream.write("\r\x1b[K");
    };
    return {
        clear,
        show: (line) => {
            if (line === last) return;
            last = line;
            if (stream.isTTY) stream.write(`\r\x1b[K${line.slice(0, COLUMNS)}`);
            else stream.write(`${line}\n`);
        },
    };
}
