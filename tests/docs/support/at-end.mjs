// What is made once and used by many tests goes when the file ends. (`after` inside of a test is the end of that test.)
import { after } from 'node:test';

const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

/** As `t.after`, for the whole file. */
export const atEnd = (end) => { ends.push(end); };
