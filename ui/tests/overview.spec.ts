import { everyLook } from "./harness";

everyLook("overview", { scene: "protected" });
