/** People who keep data: their names, how far each is trusted, and the picture of the set. */
import type { Code, StatusView, SupplierView } from "../backend/bindings";
import { list } from "./format";
import { stateKey } from "./machines";

const SEPARATOR = " · ";

/** `alice · 7f3a 91c2` as its two parts. */
export function splitName(name: string): { nickname: string; fingerprint: string } {
  const at = name.lastIndexOf(SEPARATOR);
  return at < 0 ? { nickname: name, fingerprint: "" } : { nickname: name.slice(0, at), fingerprint: name.slice(at + SEPARATOR.length) };
}

/** How many people are named in a sentence. */
const NAMED = 3;

/** The nicknames of a few people, as in a sentence; null where there are too many for that. */
export function fewNames(names: string[]): string | null {
  if (names.length === 0 || names.length > NAMED) return null;
  return list(names.map((name) => splitName(name).nickname));
}

/** How far somebody is trusted, from the state of the link, the proofs and what it lost. */
export type Trust =
  | { kind: "confirmed" }
  | { kind: "owed" }
  | { kind: "full"; confirmed: boolean }
  | { kind: "unproven" }
  | { kind: "empty" }
  | { kind: "suspect" }
  | { kind: "source" }
  | { kind: "signing" }
  | { kind: "refused" }
  | { kind: "dropped" }
  | { kind: "reaching" }
  | { kind: "unknown" };

export type TrustKind = Trust["kind"];

export function trustOf(supplier: SupplierView): Trust {
  if (supplier.is_suspect) return { kind: "suspect" };
  switch (stateKey(supplier.state)) {
    case "refused":
      return { kind: "refused" };
    case "dropped":
      return { kind: "dropped" };
    case "reading":
      return { kind: "source" };
    case "proposing":
      return { kind: "signing" };
    case "full":
      return { kind: "full", confirmed: supplier.confirmed };
    case "contracted":
      return proven(supplier);
    case "new":
    case "adopting":
    case "dialing":
    case "offline":
      return supplier.contract_bytes > 0 ? proven(supplier) : { kind: "reaching" };
    default:
      return supplier.confirmed ? { kind: "confirmed" } : { kind: "unknown" };
  }
}

function proven(supplier: SupplierView): Trust {
  if (supplier.confirmed) return { kind: supplier.is_owed ? "owed" : "confirmed" };
  return { kind: supplier.kept_bytes > 0 ? "unproven" : "empty" };
}

/** What a person asks first: who needs a look comes before who is fine. */
const CONCERN: Record<TrustKind, number> = { suspect: 0, refused: 1, unproven: 2, full: 3, owed: 4, unknown: 5, signing: 6, reaching: 7, empty: 8, source: 9, confirmed: 10, dropped: 11 };

/** Members of the set by position, then the others by concern and name. */
export function inOrder(suppliers: SupplierView[]): SupplierView[] {
  return [...suppliers].sort(
    (a, b) =>
      (a.position ?? Infinity) - (b.position ?? Infinity) ||
      CONCERN[trustOf(a).kind] - CONCERN[trustOf(b).kind] ||
      a.name.localeCompare(b.name),
  );
}

/** One place around the computer in the picture. */
export interface SetPosition {
  /** Null: nobody has this place yet. */
  supplier: SupplierView | null;
  /** Holds a piece that counts, one that lacks something or of which there is no fresh proof, or none. */
  piece: "held" | "unproven" | "none";
  online: boolean;
}

/** What can be had back from the set at this moment, which is not what it keeps. */
export type SetNow =
  /** No place is given out: so many may fail as agreed. */
  | { kind: "planned"; mayFail: number }
  /** No version is finished. */
  | { kind: "unfinished" }
  | { kind: "unknown" }
  /** Too few pieces count, whoever is online. */
  | { kind: "lacking" }
  /** Enough pieces count; too few of those who hold them can be reached. */
  | { kind: "unreachable" }
  /** So many more may fail now. */
  | { kind: "restorable"; mayFail: number };

export interface SetPicture {
  positions: SetPosition[];
  enough: number;
  now: SetNow;
  /** Whether the places are given out; else it is who would have them now. */
  isFormed: boolean;
  /** Positions whose holder can be reached now and has lost nothing. */
  online: number;
  /** Positions whose piece counts. */
  held: number;
  /** Suppliers without a place. */
  others: number;
}

type OfSet = Pick<StatusView, "code" | "suppliers" | "reach" | "protection">;

/** The picture of the set; null while there is nobody. */
export function setPicture(status: OfSet): SetPicture | null {
  const { code, suppliers } = status;
  if (code === null || suppliers.length === 0) return null;
  const isFormed = suppliers.some(({ position }) => position !== null);
  const positions = isFormed ? placed(code, suppliers) : expected(code, suppliers);
  return {
    positions,
    enough: code[0],
    now: isFormed ? nowOf(status, code[0], positions) : { kind: "planned", mayFail: code[1] - code[0] },
    isFormed,
    online: positions.filter(({ supplier, online }) => online && supplier?.is_suspect === false).length,
    held: positions.filter(({ piece }) => piece === "held").length,
    others: suppliers.length - positions.filter(({ supplier }) => supplier !== null).length,
  };
}

/** The node knows which pieces are with whom; what is kept alone says nothing of who is there. */
function nowOf({ protection, reach }: OfSet, enough: number, positions: SetPosition[]): SetNow {
  if (protection.kind === "nothing") return { kind: "unfinished" };
  if (protection.kind === "unknown") return { kind: "unknown" };
  if (positions.filter(({ supplier }) => supplier !== null && isProven(supplier)).length < enough) return { kind: "lacking" };
  if (reach === null) return { kind: "unknown" };
  return reach.spare === null ? { kind: "unreachable" } : { kind: "restorable", mayFail: reach.spare };
}

function placed([, people]: Code, suppliers: SupplierView[]): SetPosition[] {
  const byPosition = new Map(suppliers.map((supplier) => [supplier.position, supplier]));
  return Array.from({ length: people }, (_, position) => positionOf(byPosition.get(position) ?? null));
}

function expected([, people]: Code, suppliers: SupplierView[]): SetPosition[] {
  const first = inOrder(suppliers).filter((supplier) => trustOf(supplier).kind !== "dropped");
  return Array.from({ length: people }, (_, index) => positionOf(first[index] ?? null));
}

function isProven(supplier: SupplierView): boolean {
  return supplier.confirmed && !supplier.is_suspect && supplier.kept_bytes > 0;
}

function positionOf(supplier: SupplierView | null): SetPosition {
  if (supplier === null) return { supplier, piece: "none", online: false };
  const isHeld = isProven(supplier) && !supplier.is_owed;
  const piece = supplier.kept_bytes === 0 ? "none" : isHeld ? "held" : "unproven";
  return { supplier, piece, online: supplier.online };
}
