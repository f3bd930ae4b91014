type Key = Pick<KeyboardEvent, "key" | "isComposing" | "keyCode">;

/** Whether the person pressed Enter, and not to end an input method's composition: that Enter chooses a word. */
export const isEnter = (event: Key): boolean => event.key === "Enter" && !composes(event);

/** Whether the person pressed Escape, and not to give up an input method's composition. */
export const isEscape = (event: Key): boolean => event.key === "Escape" && !composes(event);

/** In Safari the key comes after the composition's end. Only its code, 229, then tells it from any other. */
const composes = ({ isComposing, keyCode }: Key): boolean => isComposing || keyCode === 229;
