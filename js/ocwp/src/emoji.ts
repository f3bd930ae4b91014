/** Unicode's own, in the order in which people mostly want them; the system's font draws them. */
const EMOJI = `😀😃😄😁😅😂🤣😊🙂😉😍🥰😘😎🤗🤔😐🙄😏😴😌😜😇🥳😢😭😤😡🤯😱🥺😬🤒🤝👍👎👏🙌🙏💪👋👌✌️🤞👀❤️🧡💛💚💙💜💔✨🔥🎉🎂🎁☀️🌧️🌈🌸🍀☕🍺🍕🍜🍎⚽🎵📷📞💡📌📅✅❌❓❗⏰🚗✈️🏠`;

export const emoji: string[] = Array.from(
  new Intl.Segmenter("en", { granularity: "grapheme" }).segment(EMOJI),
  (part) => part.segment,
);
