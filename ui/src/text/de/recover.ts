import type { recover as English } from "../en/recover";
import type { Translated } from "../words";

export const recover: Translated<typeof English> = {
  title: "Recover",
};
