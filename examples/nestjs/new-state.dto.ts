import { IsEnum, IsOptional, NotContains } from "class-validator";
import { StateType } from "typeorm-task-run-state";

/** PostgreSQL stores every character but U+0000. */
const IsText = () =>
  NotContains("\0", { message: "$property must be a string without the character U+0000" });

/** The body of a request that sets the state of a task run. */
export class NewStateDto {
  @IsEnum(StateType)
  type!: StateType;

  @IsOptional()
  @IsText()
  name?: string;

  @IsOptional()
  @IsText()
  message?: string;
}
