import type { DeviceInfo } from "./types.js";

/** A phone to choose: its size in CSS pixels, and how its glass looks. */
export interface Device {
  id: string;
  name: string;
  os: string;
  width: number;
  height: number;
  /** Radius of the glass's corners, in CSS pixels. */
  radius: number;
  /** What is cut out of the glass at the top. */
  cutout: "island" | "hole" | "none";
}

export const DEVICES: readonly Device[] = [
  { id: "iphone-se", name: "iPhone SE", os: "iOS 15.8", width: 320, height: 568, radius: 22, cutout: "none" },
  { id: "iphone-7", name: "iPhone 7", os: "iOS 15.8", width: 375, height: 667, radius: 24, cutout: "none" },
  { id: "iphone-15", name: "iPhone 15", os: "iOS 17.4", width: 393, height: 852, radius: 46, cutout: "island" },
  { id: "pixel-8", name: "Pixel 8", os: "Android 14", width: 412, height: 915, radius: 36, cutout: "hole" },
  { id: "ipad-mini", name: "iPad mini", os: "iPadOS 17.4", width: 744, height: 1133, radius: 28, cutout: "none" },
];

/** OneChat's own example, and the tallest that a laptop's screen shows at full size. */
export const DEFAULT_DEVICE = DEVICES.find(({ id }) => id === "iphone-7")!;

export const deviceOf = (id: unknown): Device => DEVICES.find((device) => device.id === id) ?? DEFAULT_DEVICE;

/** What pages are told. `width` and `height` are those in use: a narrow page shows the phone at its own size. */
export const deviceInfo = (device: Device, width = device.width, height = device.height): DeviceInfo => ({
  device: device.name,
  os: device.os,
  screenWidth: String(width),
  screenHeight: String(height),
});
