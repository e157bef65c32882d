import { shuffled } from "./lists";
import { progress } from "./progress";

/** Rounds that warm up come first. They are not counted. */
export interface Effort {
  warmUpRounds: number;
  rounds: number;
}

/**
 * Takes each turn once a round. The turns of a group are compared with each other: they follow each other, in another order
 * each round.
 *
 * @returns what each turn gave, once for each round.
 */
export async function inRounds<Turn, Figure>(
  what: string,
  { warmUpRounds, rounds }: Effort,
  groups: Turn[][],
  take: (turn: Turn) => Promise<Figure>,
): Promise<Map<Turn, Figure[]>> {
  const figures = new Map(groups.flat().map((turn) => [turn, [] as Figure[]]));
  for (let round = -warmUpRounds; round < rounds; round++) {
    progress(`${what}: ${round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`}`);
    for (const turn of groups.flatMap(shuffled)) {
      const figure = await take(turn);
      if (round >= 0) figures.get(turn)?.push(figure);
    }
  }
  progress("");
  return figures;
}
