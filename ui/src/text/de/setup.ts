import type { setup as English } from "../en/setup";
import type { Translated } from "../words";

export const setup: Translated<typeof English> = {
  title: "Setup",
};
