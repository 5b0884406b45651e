import type { restore as English } from "../en/restore";
import type { Translated } from "../words";

export const restore: Translated<typeof English> = {
  title: "Wiederherstellen",
};
