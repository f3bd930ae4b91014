/**
 * Whether the person pressed Enter, and not to end an input method's composition: that Enter chooses a word.
 *
 * In Safari the key comes after the composition's end. Only its code, 229, then tells it from any other Enter.
 */
export const isEnter = ({
  key,
  isComposing,
  keyCode,
}: Pick<KeyboardEvent, "key" | "isComposing" | "keyCode">): boolean =>
  key === "Enter" && !isComposing && keyCode !== 229;
