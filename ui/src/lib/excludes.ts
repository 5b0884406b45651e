/** Things that people leave out, in the syntax of `.gitignore`, by names they understand. */
export const PRESETS = {
  caches: [".cache/", "__pycache__/", "node_modules/", "target/", "build/", ".gradle/"],
  temporary: ["*.tmp", "*.temp", "*~", ".~lock.*", "*.swp", "*.part", "*.crdownload"],
  disks: ["*.iso", "*.img", "*.qcow2", "*.vdi", "*.vmdk", "*.vhd", "*.vhdx"],
  downloads: ["Downloads/"],
  hidden: [".*"],
} as const satisfies Record<string, readonly string[]>;

export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = ["caches", "temporary", "disks", "downloads", "hidden"] as const satisfies readonly Preset[];

/** All patterns of the chosen presets and of the person's own lines, each once. */
export function patternsOf(presets: readonly Preset[], own: string): string[] {
  const lines = own.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return [...new Set([...presets.flatMap((preset) => PRESETS[preset]), ...lines])];
}

/** Which presets a folder's patterns hold whole, and what is left as the person's own. */
export function presetsOf(patterns: readonly string[]): { presets: Preset[]; own: string } {
  const presets = PRESET_NAMES.filter((name) => PRESETS[name].every((line) => patterns.includes(line)));
  const taken = new Set<string>(presets.flatMap((preset) => PRESETS[preset]));
  return { presets, own: patterns.filter((line) => !taken.has(line)).join("\n") };
}
