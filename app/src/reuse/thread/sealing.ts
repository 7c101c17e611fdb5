import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";

/** A text with what a thread needs to use it again. */
export interface TextRecord {
    readonly text: string;
    readonly signature: Float32Array;
    /** log(1 − r) of the text when its vector arrived: see interpolate.ts. */
    readonly ownLoss: number;
}

export interface OpenedRecord extends Omit<TextRecord, "signature"> {
    /** Undefined: it is of another version, which cannot be compared. */
    readonly signature: Float32Array | undefined;
}

/** Encrypts texts, and what was learned from them, for Redis, where the caches keep nothing but digests of texts. */
export interface TextSealing {
    /** @param context what the record belongs to; it can be opened with the same context only */
    readonly seal: (record: TextRecord, context: string) => Uint8Array<ArrayBuffer>;
    /** @returns undefined for a record of another secret, context or format, or one that was changed */
    readonly open: (sealed: Uint8Array, context: string) => OpenedRecord | undefined;
    /** @param state that JSON can contain */
    readonly sealState: (state: object, context: string) => Uint8Array<ArrayBuffer>;
    /** @returns undefined also for a state about signatures of another version */
    readonly openState: (sealed: Uint8Array, context: string) => unknown;
}

const CIPHER = "aes-256-gcm";
const FORMAT = 2;
const VERSION_BYTES = 8;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Format, numbers of the signature, own loss. */
const HEAD_BYTES = 8;
const BYTES_PER_NUMBER = 2;

/** @param version of the signatures: pods of two versions share their records, and compute other signatures again */
export function createTextSealing(secret: string, version: string): TextSealing {
    const key = Buffer.from(hkdfSync("sha256", secret, "", "semantic reuse: texts", 32));
    const own = hash("sha256", version, "buffer").subarray(0, VERSION_BYTES);

    function isOwn(sealed: Uint8Array): boolean {
        return own.equals(sealed.subarray(0, VERSION_BYTES));
    }

    function encrypt(plain: Buffer, context: string): Uint8Array<ArrayBuffer> {
        const iv = randomBytes(IV_BYTES);
        const cipher = createCipheriv(CIPHER, key, iv).setAAD(authenticated(own, context));
        const sealed = [own, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
        return new Uint8Array(Buffer.concat(sealed));
    }

    return {
        seal: ({ text, signature, ownLoss }, context) => {
            const head = Buffer.alloc(HEAD_BYTES);
            head.writeUInt16LE(FORMAT, 0);
            head.writeUInt16LE(signature.length, 2);
            head.writeFloatLE(ownLoss, 4);
            const numbers = new Uint8Array(new Float16Array(signature).buffer);
            return encrypt(Buffer.concat([head, numbers, Buffer.from(text)]), context);
        },
        open: (sealed, context) => {
            const plain = decrypt(key, sealed, context);
            if (!plain || plain.length < HEAD_BYTES || plain.readUInt16LE(0) !== FORMAT)
                return undefined;
            const textAt = HEAD_BYTES + plain.readUInt16LE(2) * BYTES_PER_NUMBER;
            const { buffer } = new Uint8Array(plain.subarray(HEAD_BYTES, textAt));
            return {
                ownLoss: plain.readFloatLE(4),
                signature: isOwn(sealed) ? new Float32Array(new Float16Array(buffer)) : undefined,
                text: plain.toString("utf8", textAt),
            };
        },
        sealState: (state, context) => encrypt(Buffer.from(JSON.stringify(state)), context),
        openState: (sealed, context) => {
            const plain = isOwn(sealed) ? decrypt(key, sealed, context) : undefined;
            return plain && (JSON.parse(plain.toString()) as unknown);
        },
    };
}

function authenticated(version: Uint8Array, context: string): Buffer {
    return Buffer.concat([version, Buffer.from(context)]);
}

function decrypt(key: Buffer, sealed: Uint8Array, context: string): Buffer | undefined {
    const ivAt = VERSION_BYTES;
    const [plainAt, tagAt] = [ivAt + IV_BYTES, sealed.length - TAG_BYTES];
    if (tagAt < plainAt) return undefined;
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(ivAt, plainAt))
        .setAAD(authenticated(sealed.subarray(0, ivAt), context))
        .setAuthTag(sealed.subarray(tagAt));
    try {
        return Buffer.concat([decipher.update(sealed.subarray(plainAt, tagAt)), decipher.final()]);
    } catch {
        return undefined;
    }
}
