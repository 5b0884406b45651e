/** Invitations as people hand them on: a code, or a link that opens BitDust with it. */
const LINK = "bitdust://invite/";

export function invitationLink(code: string): string {
  return `${LINK}${code}`;
}

/** The code in whatever was pasted: the code, the link, either with spaces and line breaks. */
export function invitationCode(pasted: string): string {
  const bare = pasted.replace(/\s+/g, "");
  const code = bare.toLowerCase().startsWith(LINK) ? bare.slice(LINK.length) : bare;
  return code.replace(/\/$/, "");
}

/** The same code as a QR code holds it best; letter case does not matter to whoever reads it. */
export function invitationForQr(code: string): string {
  return code.toUpperCase();
}
