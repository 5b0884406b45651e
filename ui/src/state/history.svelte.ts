/** The history as far as it was looked at: pages from the node, newest first, and what comes new. */
import { asApiError, backend } from "../backend/backend";
import type { ApiError, HistoryLine, HistoryView } from "../backend/bindings";
import { isFiltered, NO_FILTER, withNewer, type HistoryFilter } from "../lib/activity";

let lines = $state.raw<HistoryLine[]>([]);
let filter = $state.raw<HistoryFilter>(NO_FILTER);
let count = $state<number | null>(null);
let more = $state(false);
let error = $state.raw<ApiError | null>(null);
/** Answers to an older question are not taken. */
let question = 0;
let isLoading = false;

export const history = {
  get lines(): readonly HistoryLine[] {
    return lines;
  },
  get filter(): HistoryFilter {
    return filter;
  },
  /** Lines that fit; null until the first answer. */
  get count(): number | null {
    return count;
  },
  get more(): boolean {
    return more;
  },
  get error(): ApiError | null {
    return error;
  },
  /** Asks anew, from the newest line. */
  async ask(next: HistoryFilter): Promise<void> {
    filter = next;
    await page(++question, null);
  },
  /** The page behind the last line; nothing while one is on its way. */
  async askMore(): Promise<void> {
    const last = lines.at(-1);
    if (more && !isLoading && last !== undefined) await page(question, last.number);
  },
  /** Takes new lines from now on, until it is ended. */
  follow(): () => void {
    return backend().subscribe((event) => {
      if (event.from === "node" && event.event.event === "notice") void take(event.event.line);
    });
  },
};

/** The newest lines whatever the filter, for a report. */
export async function newestLines(): Promise<HistoryLine[]> {
  const { lines: newest } = await backend().call("history", { before: null, severity: null, text: null });
  return newest;
}

async function page(asked: number, before: number | null): Promise<void> {
  isLoading = true;
  try {
    const view = await questioned(before);
    if (asked !== question) return;
    lines = before === null ? view.lines : [...lines, ...view.lines];
    count = view.count;
    more = view.more;
    error = null;
  } catch (cause) {
    if (asked === question) error = asApiError(cause);
  } finally {
    if (asked === question) isLoading = false;
  }
}

/** Whether a new line fits is the node's to say. */
async function take(line: HistoryLine): Promise<void> {
  if (!isFiltered(filter)) {
    lines = withNewer(lines, [line]);
    count = (count ?? 0) + 1;
    return;
  }
  const asked = question;
  const view = await questioned(null).catch(() => null);
  if (view === null || asked !== question) return;
  lines = withNewer(lines, view.lines);
  count = view.count;
}

function questioned(before: number | null): Promise<HistoryView> {
  const text = filter.text.trim();
  return backend().call("history", { before, severity: filter.severity === "all" ? null : filter.severity, text: text === "" ? null : text });
}
