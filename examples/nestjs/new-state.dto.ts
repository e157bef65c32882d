import { IsEnum, IsOptional, Matches } from "class-validator";
import { StateType } from "typeorm-task-run-state";

/** PostgreSQL stores all text but U+0000 and halves of surrogate pairs. */
const TEXT = /^[^\0\p{Surrogate}]*$/u;

/** The body of a request that records a state. */
export class NewState {
  @IsEnum(StateType)
  type!: StateType;

  @IsOptional()
  @Matches(TEXT)
  name?: string;

  @IsOptional()
  @Matches(TEXT)
  message?: string;
}
