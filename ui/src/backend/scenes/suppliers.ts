/** Scenes of those who keep data: nobody, few, many, away, suspect; invitations that work and do not. */
import type { StatusView, SupplierView } from "../bindings";
import { ago, DAY, GB, hex, HOUR, hostOf, MINUTE, named, statusOf, supplier, suppliers } from "./people";
import type { Scene, Scenes } from "./scene";

const INVITATION = `bitdust-${base32("an invitation of alice", 420)}`;

const FIRST = ["ada", "ben", "cho", "dina", "emil", "fatou", "goran", "hana", "igor", "jana", "kofi", "lena", "mika", "nora", "omar", "pia", "quinn", "rosa", "sam", "tove"];

const answers: NonNullable<Scene["answers"]> = {
  invite: () => INVITATION,
  accept: ({ code }, world) => {
    if (!code.toLowerCase().startsWith("bitdust-")) throw world.fail("bad_request", 'an invitation begins with "bitdust-"; copy the whole code');
    const friend = supplier("henrik", null, { state: "Proposing", confirmed: false, contract_bytes: 0, kept_bytes: 0, last_proof: null, last_seen: ago(0) });
    world.setStatus({ suppliers: [...world.status.suppliers, friend] });
    return friend;
  },
  supplier_hire: () => undefined,
};

function sceneOf(change: Partial<StatusView>, more: NonNullable<Scene["answers"]> = {}): Scene {
  return { host: hostOf(), status: statusOf(change), answers: { ...answers, ...more } };
}

export const supplierScenes: Scenes = {
  "suppliers-none": () => sceneOf({ suppliers: [], code: null, head: null, protection: { kind: "nothing" } }),
  "suppliers-one": () => sceneOf({ suppliers: [fresh("bob")], code: [1, 1], head: null, protection: { kind: "nothing" } }),
  "suppliers-two": () => sceneOf({ suppliers: suppliers().slice(0, 2), code: [1, 2] }),
  "suppliers-six": () => sceneOf({}),
  "suppliers-two-away": () => sceneOf({ suppliers: suppliers().map((person, index) => (index === 2 || index === 5 ? away(person) : person)) }),
  "suppliers-four-away": () => sceneOf({ suppliers: suppliers().map((person, index) => (index > 1 ? away(person) : person)) }),
  "suppliers-owed": () => sceneOf({ protection: { kind: "stored", confirmed: 4, needed: 5 }, suppliers: suppliers().map((person, index) => (index === 2 || index === 5 ? { ...away(person), is_owed: true } : person)) }),
  "suppliers-suspect": () =>
    sceneOf({
      protection: { kind: "stored", confirmed: 4, needed: 6 },
      suppliers: [
        ...suppliers().map((person, index) => {
          if (index === 1) return { ...person, confirmed: false, is_suspect: true };
          if (index === 3) return { ...away(person), confirmed: false, last_proof: ago(3 * DAY), last_seen: ago(2 * DAY) };
          if (index === 4) return { ...person, state: "Full", path: "relayed" };
          return person;
        }),
        fresh("henrik", { state: "Proposing", contract_bytes: 0 }),
        fresh("ines", { state: "Refused", contract_bytes: 0, friend: false }),
        fresh("jonas", { state: "Dialing", contract_bytes: 0, friend: false, online: false, path: null, last_seen: null }),
      ],
    }),
  "suppliers-lack": () => sceneOf({ protection: { kind: "stored", confirmed: 1, needed: 6 }, suppliers: suppliers().map((person, index) => (index === 0 ? person : { ...away(person), confirmed: false, last_proof: ago(4 * DAY), last_seen: ago(3 * DAY) })) }),
  "suppliers-thirty": () => sceneOf({ code: [10, 30], suppliers: crowd(30) }),
  "suppliers-200": () => sceneOf({ code: [10, 30], suppliers: crowd(200) }),
  invite: () => sceneOf({}),
  "accept-error": () =>
    sceneOf(
      {},
      {
        accept: (_, world) => {
          throw world.fail("unreachable", "the invitation could not be used: the suppliers cannot be reached; nothing was changed");
        },
      },
    ),
};

function away(person: SupplierView): SupplierView {
  return { ...person, state: "Offline", online: false, path: null, last_seen: ago(5 * HOUR), last_proof: ago(11 * HOUR) };
}

function fresh(nickname: string, change: Partial<SupplierView> = {}): SupplierView {
  return supplier(nickname, null, { confirmed: false, kept_bytes: 0, last_proof: null, ...change });
}

function crowd(size: number): SupplierView[] {
  return Array.from({ length: size }, (_, index) => {
    const nickname = `${FIRST[index % FIRST.length] ?? "ada"}${index < FIRST.length ? "" : String(Math.floor(index / FIRST.length) + 1)}`;
    if (index >= 30) return fresh(nickname, { name: named(nickname), friend: false, state: index % 3 === 0 ? "Offline" : "Contracted", online: index % 3 !== 0, path: index % 3 === 0 ? null : "tcp", last_seen: ago(index * MINUTE) });
    const person = supplier(nickname, index, { friend: index % 4 === 0, kept_bytes: 4.1 * GB, last_proof: ago((index + 1) * 21 * MINUTE) });
    return index % 9 === 5 ? away(person) : person;
  });
}

/** Letters as an invitation has them, always the same for a seed. */
function base32(seed: string, letters: number): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const digits = hex(seed, 2 * letters);
  return Array.from({ length: letters }, (_, index) => alphabet[parseInt(digits.slice(2 * index, 2 * index + 2), 16) % 32]).join("");
}
