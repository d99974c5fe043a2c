/** The seed of a proof: `PROVE_SEED` replays a failure; else each run draws its own and prints it. */

export const SEED: number = Number(
  process.env['PROVE_SEED'] ?? Math.trunc(performance.timeOrigin + performance.now()) % 0x7fff_ffff,
)
