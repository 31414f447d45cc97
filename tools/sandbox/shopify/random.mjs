// xorshift32: small, seeded, the same on every machine.
export function generator(seed) {
  let state = seed >>> 0 || 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x100000000;
  };
}

// A UUID made from the generator, so that ids repeat with the seed.
export function uuidFrom(random) {
  let text = '';
  for (let digit = 0; digit < 32; digit += 1) text += Math.floor(random() * 16).toString(16);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-8${text.slice(17, 20)}-${text.slice(20)}`;
}
