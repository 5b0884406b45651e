import type { folders as English } from "../en/folders";
import type { Translated } from "../words";

export const folders: Translated<typeof English> = {
  title: "Ordner",
};
