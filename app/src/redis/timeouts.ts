import { Command, Redis } from "ioredis";

/** Members of ioredis 6.0.0 that its types do not export. */
interface TimedCommand {
    _commandTimeoutTimer?: NodeJS.Timeout | undefined;
    isSettled: boolean;
    readonly reject: (error: Error) => void;
}
interface TimedRedis {
    readonly stream: Redis["stream"];
    readonly options: { readonly socketTimeout?: number };
    readonly commandQueue: { readonly length: number };
    socketTimeoutTimer?: NodeJS.Timeout | undefined;
    setSocketTimeout: () => void;
}

/**
 * Replaces the timers of ioredis, which blame Redis for a pause of this process: after a long turn of the event
 * loop, or when the CPU limit of a pod has stopped it for 100 ms, they run before the replies that have arrived
 * are read. Every read then fails, the breaker opens, and the upstream is asked for what Redis has. These timers
 * let the event loop read its sockets first.
 */
export function readRepliesBeforeTimeouts(): void {
    Object.assign(Command.prototype, {
        setTimeout(this: TimedCommand, milliseconds: number): void {
            this._commandTimeoutTimer ??= setTimeout(() => {
                setImmediate(() => {
                    if (!this.isSettled) this.reject(new Error("Command timed out"));
                });
            }, milliseconds);
        },
    });
    Object.assign(Redis.prototype, {
        setSocketTimeout(this: TimedRedis): void {
            const { stream } = this;
            const { socketTimeout = 0 } = this.options;
            const onSilence = (): void => {
                this.socketTimeoutTimer = undefined;
                stream.off("data", onData);
                stream.destroy(new Error(`Redis sent nothing for ${socketTimeout} ms`));
            };
            let silence: NodeJS.Immediate | undefined;
            const timer = setTimeout(() => (silence = setImmediate(onSilence)), socketTimeout);
            const onData = (): void => {
                clearTimeout(timer);
                clearImmediate(silence);
                this.socketTimeoutTimer = undefined;
                if (this.commandQueue.length > 0) this.setSocketTimeout();
            };
            this.socketTimeoutTimer = timer;
            // After the listener of ioredis, which takes the answered commands from the queue.
            stream.once("data", onData);
        },
    });
}
