import type { overview as English } from "../en/overview";
import type { Translated } from "../words";

export const overview: Translated<typeof English> = {
  title: "Übersicht",
};
