/** OneChat's REST API takes as much of a text, in bytes of UTF-8; what people type is held to the same. */
export const MESSAGE_MAX_BYTES = 4096;

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
