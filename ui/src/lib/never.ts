/** The end of a `switch` over a union: the compiler complains where a case is missing. */
export function never(value: never): never {
  throw new Error(`No case for ${JSON.stringify(value)}`);
}
