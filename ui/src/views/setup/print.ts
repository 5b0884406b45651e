/** Prints the kit alone: it stands in the document only while it is printed. */
import { backend } from "../../backend/backend";
import { kitBody, KIT_STYLES, type Kit } from "../../lib/kit";

export function printKit(kit: Kit): void {
  clear();
  const sheet = document.createElement("div");
  sheet.id = "print";
  sheet.innerHTML = `<style>${KIT_STYLES}</style>${kitBody(kit)}`;
  document.body.append(sheet);
  document.body.classList.add("prints");
  // Some engines print later than `print` returns: it is cleared after printing, or by the next.
  addEventListener("afterprint", clear, { once: true });
  backend().shell.print();
}

/** Takes the words out of the document. */
export function clear(): void {
  document.getElementById("print")?.remove();
  document.body.classList.remove("prints");
}
