import { expect, test } from "vitest";

import { preferences } from "../state/preferences.svelte";
import { en } from "../text/en";
import { diagrams } from "./diagrams";
import { byName, machineAbout, machineName, stateName } from "./machine-names";
import { machinesOf } from "./machines";

test("each machine and each state that the engine draws has a name, and no name is left over", () => {
  const slugs = diagrams.map(({ slug }) => slug).sort();
  expect(Object.keys(en.machineNames).sort()).toEqual(slugs);
  expect(Object.keys(en.machineAbouts).sort()).toEqual(slugs);
  expect(Object.keys(en.machineStates).sort()).toEqual([...new Set(diagrams.flatMap(({ states }) => states))].sort());
});

test("names are in the language of the person", () => {
  const diagram = diagrams.find(({ slug }) => slug === "holder-set");
  if (diagram === undefined) throw new Error("the engine draws its circle of suppliers");
  preferences.language = "de";
  expect([machineName(diagram), stateName("WaitingForSuppliers"), stateName("NeverDrawn")]).toEqual(["Kreis der Aufbewahrer", "Wartet auf Aufbewahrer", "Never drawn"]);
  preferences.language = "en";
  expect([machineName(diagram), stateName("WaitingForSuppliers")]).toEqual(["Circle of suppliers", "Waiting for suppliers"]);
});

test("machines stand by the name that is seen, those that run first", () => {
  preferences.language = "de";
  const names = byName(machinesOf(diagrams, [["transfer 1", "Sending"]])).map(({ diagram }) => machineName(diagram));
  preferences.language = "en";
  expect(names.slice(0, 4)).toEqual(["Übertragung", "Abholung", "Aufbewahrer", "Beitritt zum Netz"]);
});

test("names use none of the words that people need not know", () => {
  const words = diagrams.flatMap((diagram) => [machineName(diagram), machineAbout(diagram), ...diagram.states.map(stateName)]);
  expect(words.filter((word) => /\b(shards?|packs?|erasure|repositor(y|ies)|DHT|metadata)\b/i.test(word))).toEqual([]);
});
