import { type ArgumentsHost, Catch, NotFoundException } from "@nestjs/common";
import { BaseExceptionFilter } from "@nestjs/core";
import { InvalidUuidError } from "typeorm-task-run-state";

/** Nest would answer 500. */
@Catch(InvalidUuidError)
export class InvalidUuidFilter extends BaseExceptionFilter {
  override catch({ message }: InvalidUuidError, host: ArgumentsHost): void {
    super.catch(new NotFoundException(message), host);
  }
}
