export const recover = {
  title: "Recover",
} as const;
