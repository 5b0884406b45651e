import { describe, expect, it } from "vitest";

import type { SupplierView } from "../backend/bindings";
import { inOrder, setPicture, splitName, trustOf } from "./people";

const somebody = (change: Partial<SupplierView> = {}): SupplierView => ({
  device: "d", identity: "i", name: "bob · 7f3a 91c2", friend: true, state: "Contracted", online: true, path: "tcp", confirmed: true,
  position: null, contract_bytes: 10, kept_bytes: 5, last_seen: 1, last_proof: 1, is_suspect: false, is_owed: false, ...change,
});

it("splits a name from its fingerprint at the last mark", () => {
  expect(splitName("a · b · 7f3a 91c2")).toEqual({ nickname: "a · b", fingerprint: "7f3a 91c2" });
  expect(splitName("plain")).toEqual({ nickname: "plain", fingerprint: "" });
});

describe("trustOf", () => {
  it.each<[Partial<SupplierView>, string]>([
    [{}, "confirmed"],
    [{ state: "Offline", online: false }, "confirmed"],
    [{ confirmed: false }, "unproven"],
    [{ confirmed: false, kept_bytes: 0 }, "empty"],
    [{ is_suspect: true }, "suspect"],
    [{ is_owed: true }, "owed"],
    [{ is_owed: true, confirmed: false }, "unproven"],
    [{ state: "Proposing", confirmed: false, contract_bytes: 0 }, "signing"],
    [{ state: "Reading", confirmed: false, contract_bytes: 0 }, "source"],
    [{ state: "Refused" }, "refused"],
    [{ state: "Dropped" }, "dropped"],
    [{ state: "Full" }, "full"],
    [{ state: "dialing", contract_bytes: 0, confirmed: false }, "reaching"],
    [{ state: "New", contract_bytes: 0, confirmed: false }, "reaching"],
    [{ state: "Melted", confirmed: false }, "unknown"],
  ])("%j → %s", (change, kind) => {
    expect(trustOf(somebody(change)).kind).toBe(kind);
  });
});

it("puts the set first, then those who need a look", () => {
  const names = inOrder([
    somebody({ name: "fine" }),
    somebody({ name: "second", position: 1 }),
    somebody({ name: "suspect", is_suspect: true }),
    somebody({ name: "first", position: 0 }),
  ]).map(({ name }) => name);
  expect(names).toEqual(["first", "second", "suspect", "fine"]);
});

describe("setPicture", () => {
  const safe = { protection: { kind: "safe" }, reach: null } as const;

  it("is nothing without people", () => {
    expect(setPicture({ ...safe, code: null, suppliers: [] })).toBeNull();
  });

  it("has all positions, also of those who are gone", () => {
    const picture = setPicture({
      ...safe,
      code: [2, 4],
      suppliers: [somebody({ position: 0 }), somebody({ position: 1, online: false }), somebody({ position: 3, is_suspect: true }), somebody()],
    });
    expect(picture?.positions.map(({ piece, online }) => [piece, online])).toEqual([["held", true], ["held", false], ["none", false], ["unproven", true]]);
    expect(picture).toMatchObject({ enough: 2, isFormed: true, online: 1, held: 2, others: 1 });
  });

  it("shows who would have a place while there is no set", () => {
    const picture = setPicture({ ...safe, code: [1, 2], suppliers: [somebody({ kept_bytes: 0 }), somebody({ state: "Dropped" })] });
    expect(picture?.positions.map(({ supplier, piece }) => [supplier?.state, piece])).toEqual([["Contracted", "none"], [undefined, "none"]]);
    expect(picture).toMatchObject({ isFormed: false, now: { kind: "planned", mayFail: 1 } });
  });

  it("does not call a piece whole that lacks something", () => {
    const picture = setPicture({ ...safe, code: [1, 2], suppliers: [somebody({ position: 0 }), somebody({ position: 1, is_owed: true })] });
    expect(picture?.positions.map(({ piece }) => piece)).toEqual(["held", "unproven"]);
    expect(picture?.held).toBe(1);
  });

  it("never has more positions than a set may have", () => {
    const suppliers = Array.from({ length: 200 }, () => somebody());
    expect(setPicture({ ...safe, code: [10, 30], suppliers })).toMatchObject({ others: 170, positions: { length: 30 } });
  });
});

describe("what can be had back now", () => {
  const six = (online: number, change: Partial<SupplierView> = {}) => Array.from({ length: 6 }, (_, position) => somebody({ position, online: position < online, ...change }));
  const nowOf = (status: Partial<Parameters<typeof setPicture>[0]>) => setPicture({ protection: { kind: "safe" }, reach: null, code: [2, 6], suppliers: six(6), ...status });

  it("is told from who can be reached, not from what is kept", () => {
    const picture = nowOf({ suppliers: six(2), reach: { online: 2, spare: 0 } });
    expect(picture).toMatchObject({ held: 6, online: 2, now: { kind: "restorable", mayFail: 0 } });
    expect(nowOf({ suppliers: six(1), reach: { online: 1, spare: null } })?.now).toEqual({ kind: "unreachable" });
    expect(nowOf({ reach: { online: 6, spare: 4 } })?.now).toEqual({ kind: "restorable", mayFail: 4 });
  });

  it("is not told where nobody knows", () => {
    expect(nowOf({ protection: { kind: "nothing" } })?.now).toEqual({ kind: "unfinished" });
    expect(nowOf({ protection: { kind: "unknown" } })?.now).toEqual({ kind: "unknown" });
    expect(nowOf({ reach: null })?.now).toEqual({ kind: "unknown" });
  });

  it("is lacking where too few pieces count, whoever is online", () => {
    const suppliers = six(6, { confirmed: false }).map((one, index) => (index === 0 ? { ...one, confirmed: true } : one));
    expect(nowOf({ suppliers, reach: { online: 6, spare: null } })?.now).toEqual({ kind: "lacking" });
  });
});
