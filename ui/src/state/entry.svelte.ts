/**
 * The way in: first run and recovery. What was typed and the 24 words live here until they are no
 * longer needed; a word is never kept beyond the last step that shows it.
 */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, CreatedView, GuardChoice, RecoverAs, RecoveredView } from "../backend/bindings";
import { wrongWord, WORDS, type WrongWord } from "../lib/phrase";
import { hostCall } from "./host.svelte";

export type Entry =
  | { kind: "welcome" }
  | { kind: "name" }
  | { kind: "keys" }
  | { kind: "words"; created: CreatedView }
  | { kind: "check"; created: CreatedView }
  | { kind: "recover_words" }
  | { kind: "recover_way" }
  | { kind: "recover_keys" }
  | { kind: "recovering" }
  | { kind: "found"; recovered: RecoveredView };

let step = $state.raw<Entry>({ kind: "welcome" });
let failure = $state.raw<ApiError | null>(null);
let isBusy = $state(false);
const drafts = $state(empty());

export const entry = {
  get step(): Entry {
    return step;
  },
  /** What the last call failed with; shown at the step. */
  get failure(): ApiError | null {
    return failure;
  },
  get isBusy(): boolean {
    return isBusy;
  },
  drafts,
  /** The node may run already while these are still to be seen. */
  get holdsWindow(): boolean {
    return step.kind === "words" || step.kind === "check" || step.kind === "recovering" || step.kind === "found";
  },
  /** The word that the node found in no list. */
  get wrongWord(): WrongWord | null {
    return failure === null ? null : wrongWord(failure.message);
  },
  go(next: Entry): void {
    failure = null;
    step = next;
  },
  async create(guard: GuardChoice): Promise<void> {
    await during(async () => {
      const created = await backend().host("create", { nickname: drafts.nickname.trim(), guard });
      step = { kind: "words", created };
    });
  },
  /** Gives whether the words are right; null where that could not be asked. */
  async confirm(words: [number, string][]): Promise<boolean | null> {
    let isRight: boolean | null = null;
    await during(async () => {
      isRight = await backend().host("confirm_words", { words });
    });
    return isRight;
  },
  async recover(guard: GuardChoice): Promise<void> {
    step = { kind: "recovering" };
    const { phrase, wayIn, recoverAs } = drafts;
    await during(async () => {
      const recovered = await backend().host("recover", { phrase: phrase.join(" "), way_in: wayIn.trim(), recover_as: recoverAs, guard });
      drafts.phrase = blank();
      step = { kind: "found", recovered };
    });
    if (failure !== null) step = { kind: wrongWord(failure.message) === null ? "recover_way" : "recover_words" };
  },
  /** The host tries to start meanwhile, so the page that asked is gone when it says no. */
  async unlock(passphrase: string): Promise<void> {
    await during(() => hostCall("unlock", { passphrase }));
  },
  /** What failed is being mended. */
  forgive(): void {
    failure = null;
  },
  /** Forgets all that was typed and shown. */
  finish(): void {
    Object.assign(drafts, empty());
    entry.go({ kind: "welcome" });
  },
};

async function during(work: () => Promise<void>): Promise<void> {
  isBusy = true;
  failure = null;
  try {
    await work();
  } catch (error) {
    failure = asApiError(error);
  } finally {
    isBusy = false;
  }
}

function empty(): { nickname: string; phrase: string[]; wayIn: string; recoverAs: RecoverAs } {
  return { nickname: "", phrase: blank(), wayIn: "", recoverAs: "successor" };
}

function blank(): string[] {
  return Array.from({ length: WORDS }, () => "");
}
