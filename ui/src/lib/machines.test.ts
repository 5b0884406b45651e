import { describe, expect, it } from "vitest";

import { diagrams } from "./diagrams";
import { lit, machinesOf, stateWords } from "./machines";

describe("machinesOf", () => {
  const found = (running: [string, string][]) => machinesOf(diagrams, running).filter(({ instances }) => instances.length > 0);

  it("finds the diagram of each running machine", () => {
    const machines = found([
      ["set-up", "Ready"],
      ["set", "Formed"],
      ["supplier link 3f9a01bc", "Contracted"],
      ["supplier search", "Satisfied"],
      ["backup 7", "WaitingForSuppliers"],
    ]);
    expect(machines.map(({ diagram, instances }) => [diagram.slug, instances[0]])).toEqual([
      ["backup", { subject: "7", state: "WaitingForSuppliers", isDrawn: true }],
      ["holder-set", { subject: "", state: "Formed", isDrawn: true }],
      ["set-up", { subject: "", state: "Ready", isDrawn: true }],
      ["supplier-link", { subject: "3f9a01bc", state: "Contracted", isDrawn: true }],
      ["supplier-search", { subject: "", state: "Satisfied", isDrawn: true }],
    ]);
  });

  it("takes any spelling of a state, and shortens ids", () => {
    const [machine] = found([[`supplier_link ${"ab".repeat(32)}`, "contracted"]]);
    expect(machine?.instances).toEqual([{ subject: "abababab", state: "Contracted", isDrawn: true }]);
  });

  it("keeps a state that the diagram does not have", () => {
    const [machine] = found([["head", "Melted"]]);
    expect(machine?.instances[0]).toEqual({ subject: "", state: "Melted", isDrawn: false });
  });

  it("puts the machines that run first and leaves out what has no diagram", () => {
    const machines = machinesOf(diagrams, [["transfer 1", "Sending"], ["espresso", "Hot"]]);
    expect(machines).toHaveLength(diagrams.length);
    expect(machines[0]?.diagram.slug).toBe("transfer");
    expect(machines.slice(1).every(({ instances }) => instances.length === 0)).toBe(true);
  });
});

it("counts instances by state", () => {
  const at = (state: string) => ({ subject: "", state, isDrawn: true });
  expect([...lit([at("Offline"), at("Contracted"), at("Contracted")])]).toEqual([["Offline", 1], ["Contracted", 2]]);
});

it("says states as words", () => {
  expect(stateWords("WaitingForSuppliers")).toBe("Waiting for suppliers");
  expect(stateWords("set_up")).toBe("Set up");
});
