export const safety = {
  title: "Safety",
} as const;
