/** A folder inside a version, fetched page by page as one scrolls. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, EntryView } from "../backend/bindings";
import { targetOf } from "../lib/paths";
import type { Thing } from "../lib/restore-plan";
import { choose, unchoose, type Selection } from "../lib/selection";

export class Browser {
  readonly snapshot: string;
  path = $state("");
  entries = $state.raw<readonly EntryView[]>([]);
  more = $state(false);
  isLoading = $state(false);
  /** Why the next page did not come; what came before it stays. */
  error = $state.raw<ApiError | null>(null);
  /** The row that the keyboard is on. */
  active = $state(0);
  /** Chosen paths below the version, over all folders. */
  chosen = $state.raw<Selection>(new Set());
  /** What comes back for a folder that was left is dropped. */
  private asked = 0;
  /** Which of the things that were chosen ever are folders. */
  private folders = new Set<string>();
  private sought = 0;
  private loading: Promise<void> | null = null;

  constructor(snapshot: string) {
    this.snapshot = snapshot;
  }

  /** Shows a folder, with the keyboard on a name in it where one is given. */
  async enter(path: string, name: string | null = null): Promise<void> {
    this.path = path;
    this.entries = [];
    this.active = 0;
    this.more = true;
    this.loading = null;
    this.asked += 1;
    this.sought += 1;
    await this.load();
    if (name !== null) await this.seek(0, (entry) => entry.name === name);
  }

  /** Fetches the next page; one at a time. */
  load(): Promise<void> {
    this.loading ??= this.page(this.asked);
    return this.loading;
  }

  loadMore(): void {
    if (this.more && this.error === null) void this.load();
  }

  /** Moves to the first entry that fits, from an index on; fetches more until there is one or cannot be one. */
  async seek(from: number, fits: (entry: EntryView) => boolean, isPast: (entry: EntryView) => boolean = () => false): Promise<void> {
    const mine = ++this.sought;
    for (let index = from; mine === this.sought; index += 1) {
      if (index >= this.entries.length) {
        const last = this.entries.at(-1);
        if (!this.more || this.error !== null || (last !== undefined && isPast(last))) return;
        await this.load();
      }
      const entry = this.entries[index];
      if (entry === undefined || mine !== this.sought) return;
      if (fits(entry)) return this.moveTo(index);
    }
  }

  /** Whoever looks for a name meanwhile stops. */
  moveTo(index: number): void {
    this.sought += 1;
    this.active = index;
  }

  choose({ path, isFolder }: Thing): void {
    if (isFolder) this.folders.add(path);
    this.chosen = choose(this.chosen, path);
  }

  unchoose(path: string): void {
    this.chosen = unchoose(this.chosen, path);
  }

  chooseNone(): void {
    this.chosen = new Set();
  }

  get things(): Thing[] {
    return [...this.chosen].map((path) => ({ path, isFolder: this.folders.has(path) }));
  }

  private async page(mine: number): Promise<void> {
    this.isLoading = true;
    this.error = null;
    try {
      const page = await backend().call("list", { target: targetOf(this.snapshot, this.path), after: this.entries.at(-1)?.name ?? null });
      if (mine !== this.asked) return;
      this.entries = [...this.entries, ...page.entries];
      this.more = page.more;
    } catch (error) {
      if (mine !== this.asked) return;
      this.error = asApiError(error);
    }
    this.isLoading = false;
    this.loading = null;
  }
}
