// Tables and scratch space of the feature chain: arrays of doubles that are not typed arrays.
//
// As soon as any buffer has been handed to another thread, V8 asks at every access to a typed array whether this
// one is still here; the transform then takes half as long again (SPEED.md, "Signal path"). An array that was
// never anything but full of fractions is stored just as densely, and is not asked.

/** `length` numbers, `of(i)` at place i. */
export function doubles(length: number, of: (i: number) => number = () => 0): number[] {
  const numbers: number[] = [];
  // Pushed, so that it has no holes; a fraction first, so that it is stored as doubles from the start.
  for (let i = 0; i < length; i++) numbers.push(0.5);
  for (let i = 0; i < length; i++) numbers[i] = of(i);
  return numbers;
}
