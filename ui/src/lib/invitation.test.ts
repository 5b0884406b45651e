import { describe, expect, it } from "vitest";

import { invitationCode, invitationLink } from "./invitation";

describe("invitationCode", () => {
  it.each([
    ["bitdust-abc", "bitdust-abc"],
    ["  bitdust-abc\n def \n", "bitdust-abcdef"],
    ["bitdust://invite/bitdust-abc", "bitdust-abc"],
    ["BITDUST://INVITE/BITDUST-ABC/", "BITDUST-ABC"],
    ["", ""],
  ])("of %j is %j", (pasted, code) => {
    expect(invitationCode(pasted)).toBe(code);
  });

  it("reads back what a link was made of", () => {
    expect(invitationCode(invitationLink("bitdust-xyz"))).toBe("bitdust-xyz");
  });
});
