export const folders = {
  title: "Folders",
} as const;
