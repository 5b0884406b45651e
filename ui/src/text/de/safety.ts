import type { safety as English } from "../en/safety";
import type { Translated } from "../words";

export const safety: Translated<typeof English> = {
  title: "Safety",
};
