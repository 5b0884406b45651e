/**
 * Tests that need no window run in Node alone, where a newer Node speaks the language of the
 * machine. They read as on an English desktop everywhere.
 */
import { vi } from "vitest";

if (!("window" in globalThis)) vi.stubGlobal("navigator", { languages: ["en-US", "en"] });
