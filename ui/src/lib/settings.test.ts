import { describe, expect, it } from "vitest";

import { addressLines, addressValue, badAddress, settingsOf } from "./settings";

it("reads where a value comes from", () => {
  const settings = settingsOf([
    { key: "offer", value: "0", from: "default" },
    { key: "listen", value: "/ip4/0.0.0.0/tcp/1", from: "flag" },
    { key: "odd", value: "", from: "moon" },
  ]);
  expect(settings.get("offer")).toEqual({ value: "0", from: "default" });
  expect(settings.get("listen")?.from).toBe("flag");
  expect(settings.get("odd")?.from).toBe("home");
});

describe("addresses", () => {
  it("go into lines and back", () => {
    const value = "/ip4/192.0.2.7/tcp/4001,/dns/example.org/tcp/4001";
    expect(addressLines(value)).toBe("/ip4/192.0.2.7/tcp/4001\n/dns/example.org/tcp/4001");
    expect(addressValue(addressLines(value))).toBe(value);
    expect(addressValue("  \n ")).toBe("");
  });

  it("are checked for what they begin with", () => {
    expect(badAddress("/ip4/192.0.2.7/tcp/4001\nexample.org")).toBe("example.org");
    expect(badAddress("/ip4")).toBe("/ip4");
    expect(badAddress("")).toBeNull();
  });
});
