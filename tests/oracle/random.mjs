// A seeded random generator. Every group of cases has its own, so that it can be generated again without the others.

export class Random {
  constructor(seed, stream) {
    this.state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0;
    for (let i = 0; i < 3; i++) this.next();
  }

  // mulberry32
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  below(limit) {
    return this.next() % limit;
  }

  // Returns true with a probability of `percent` percent.
  chance(percent) {
    return this.next() % 1000 < percent * 10;
  }

  pick(list) {
    return list[this.next() % list.length];
  }

  // Picks from [weight, value] pairs.
  weighted(pairs) {
    let total = 0;
    for (const [weight] of pairs) total += weight;
    let at = this.next() % total;
    for (const [weight, value] of pairs) {
      at -= weight;
      if (at < 0) return value;
    }
    return pairs[0][1];
  }
}
