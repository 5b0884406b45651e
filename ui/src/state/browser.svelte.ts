/** A folder inside a version, fetched page by page as one scrolls. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, EntryView } from "../backend/bindings";

export class Browser {
  readonly snapshot: string;
  path = $state("");
  entries = $state.raw<readonly EntryView[]>([]);
  more = $state(false);
  isLoading = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Chosen paths below the version, over all folders. */
  chosen = $state.raw<ReadonlySet<string>>(new Set());
  /** What comes back for a folder that was left is dropped. */
  private asked = 0;

  constructor(snapshot: string) {
    this.snapshot = snapshot;
  }

  async enter(path: string): Promise<void> {
    this.path = path;
    this.entries = [];
    this.more = true;
    await this.load();
  }

  async load(): Promise<void> {
    if (!this.more) return;
    const mine = ++this.asked;
    this.isLoading = true;
    this.error = null;
    try {
      const page = await backend().call("list", { target: `${this.snapshot}:${this.path}`, after: this.entries.at(-1)?.name ?? null });
      if (mine !== this.asked) return;
      this.entries = [...this.entries, ...page.entries];
      this.more = page.more;
    } catch (error) {
      if (mine !== this.asked) return;
      this.error = asApiError(error);
      this.more = false;
    }
    this.isLoading = false;
  }

  loadMore(): void {
    if (!this.isLoading && this.more) void this.load();
  }

  choose(path: string, isChosen: boolean): void {
    const next = new Set(this.chosen);
    if (isChosen) next.add(path);
    else next.delete(path);
    this.chosen = next;
  }
}
