// Node's runner ends a test's things in the order in which they began; what needs Redis has to go before Redis does.
const ends = new WeakMap();

// As `t.after`, the last first.
export function atEnd(t, fn) {
  const known = ends.get(t);
  if (known) return void known.push(fn);
  const stack = [fn];
  ends.set(t, stack);
  t.after(async () => {
    for (const end of stack.reverse()) await end();
  });
}
