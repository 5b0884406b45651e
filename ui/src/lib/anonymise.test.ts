import { describe, expect, it } from "vitest";

import type { HistoryLine, StatusView } from "../backend/bindings";
import { anonymise, bugReport, privateWords } from "./anonymise";

const clean = (text: string, words: string[] = []) => anonymise(text, words);

describe("anonymise", () => {
  it.each([
    ["Reached /ip4/192.0.2.7/tcp/4001/p2p/12D3KooWABCDEFGHJKLMNPQRSTUV now", "Reached [address] now"],
    ["dialed 192.168.1.20:4001 twice", "dialed [address] twice"],
    ["peer 2001:db8::17 is away", "peer [address] is away"],
    ["peer [fe80::1]:4001 is away", "peer [address] is away"],
    ["write to alice.b@example.org please", "write to [address] please"],
    ["see https://example.org/a?b=c today", "see [address] today"],
    ["open bitdust://invite/bitdust-abc234", "open [invitation]"],
    ["code bitdust-mfrggzdfmztwq2lknnwg23tpobyxe43u", "code [invitation]"],
    [`the pack ${"3f".repeat(32)} failed`, "the pack [id] failed"],
    ["the supplier 3f9a01bc left", "the supplier [id] left"],
    ["signed by 7f3a 91c2", "signed by [id]"],
    ["/home/alice/Photos cannot be read: denied", "[path] cannot be read: denied"],
    ["/home/alice/My Photos/Summer 2024/a b.jpg cannot be read", "[path] cannot be read"],
    ["~/Photos: the disk is full", "[path]: the disk is full"],
    ["C:\\Users\\Alice\\My Photos\\x.jpg: denied", "[path]: denied"],
    ["\\\\server\\share\\x: denied", "[path]: denied"],
    ['"Taxes 2024" was removed', "[name] was removed"],
    ["„Steuern 2024“ wurde entfernt", "[name] wurde entfernt"],
    ["report.pdf changed while it was read", "[name] changed while it was read"],
    ["nas.local does not answer", "[name] does not answer"],
    ["bob · 91c2 7f3a signed", "[name] signed"],
  ])("%s", (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it("leaves plain sentences as they are", () => {
    for (const text of [
      "A backup ended: 1,204 files, 3 of 17 pieces wait.",
      "The disk is full; nothing that was safe before is less safe; make room and try again",
      "Any 2 of 6 people are enough. Version 0.1.0 started at 12:30.",
    ]) {
      expect(clean(text)).toBe(text);
    }
  });

  it("takes out known names, whole words only, whatever their letters", () => {
    expect(clean("Al and Alice met AL.", ["Al"])).toBe("[name] and Alice met [name].");
    expect(clean("Zoë (a+b) signed", ["Zoë (a+b)"])).toBe("[name] signed");
    expect(clean("/srv/my data, all of it", ["/srv/my data"])).toBe("[path], all of it");
  });
});

const line = (change: Partial<HistoryLine>): HistoryLine => ({ number: 1, at: 0, severity: "note", happening: { kind: "other" }, message: "", ...change });

describe("bugReport", () => {
  const lines = [
    line({ happening: { kind: "folder_added", path: "/home/alice/Taxes and more" }, message: "Added /home/alice/Taxes and more to the backup" }),
    line({ happening: { kind: "supplier_signed", name: "bob · 91c2 7f3a", bytes: 10 }, message: "bob signed for 10 bytes", severity: "warning" }),
    line({ happening: { kind: "backup_ended", outcome: "failed", files: 4, new_bytes: 5, problems: 6, error: "disk_full" }, message: "The disk is full" }),
  ];

  it("has kinds, counts and codes, but no names and no paths", () => {
    const report = bugReport({ version: "0.1.0", platform: "linux" }, null, lines);
    expect(report).toBe(
      [
        "BitDust 0.1.0 on linux",
        "",
        "1970-01-01T00:00:00.000Z note folder_added Added [path] to the backup",
        "1970-01-01T00:00:00.000Z warning supplier_signed bytes=10 [name] signed for 10 bytes",
        "1970-01-01T00:00:00.000Z note backup_ended outcome=failed files=4 new_bytes=5 problems=6 error=disk_full The disk is full",
        "",
      ].join("\n"),
    );
  });

  it("knows what the status names, longest first", () => {
    const status = { nickname: "alice", identity: "aa11", device: "bb22", folders: [], suppliers: [], listening: ["/ip4/10.0.0.1/tcp/1"] };
    const words = privateWords(status as unknown as StatusView, lines);
    expect(words).toContain("alice");
    expect(words).toContain("bob");
    expect(words).toContain("91c2 7f3a");
    expect(words[0]).toBe("/home/alice/Taxes and more");
  });
});
