/** The significant lines of a WGSL text, in order. */
export function significantLines(text: string): string[];
/** For each file, by name, how many significant lines it has and how many of them recur in another one. */
export function countRecurring(texts: Record<string, string>): { name: string; lines: number; recurring: number }[];
