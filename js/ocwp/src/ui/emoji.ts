// Apart by spaces: to tell where one ends, a browser loads its tables of all scripts, 25 ms before anything else is done.
const EMOJI = `
  😀 😃 😄 😁 😅 😂 🤣 😊 🙂 😉 😍 🥰 😘 😎 🤗 🤔 😐 🙄 😏 😴 😌 😜 😇 🥳 😢 😭 😤 😡 🤯 😱 🥺 😬 🤒 🤝 👍
  👎 👏 🙌 🙏 💪 👋 👌 ✌️ 🤞 👀 ❤️ 🧡 💛 💚 💙 💜 💔 ✨ 🔥 🎉 🎂 🎁 ☀️ 🌧️ 🌈 🌸 🍀 ☕ 🍺 🍕 🍜 🍎 ⚽ 🎵 📷
  📞 💡 📌 📅 ✅ ❌ ❓ ❗ ⏰ 🚗 ✈️ 🏠
`;

/** Unicode's own, in the order in which people mostly want them; the system's font draws them. */
export const emoji: string[] = EMOJI.trim().split(/\s+/);
